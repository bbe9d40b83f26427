"""`frankpledge encode`: its options. The work is in `frankpledge.cli.encoding`, imported when it is wanted."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from frankpledge.cli.setup import PATH, with_key, with_profile
from frankpledge.profile import Profile
from matching.vocabulary import LINES, RECORD_CLASSES, ROLES

if TYPE_CHECKING:
    from frankpledge.keys import LinkageKey


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """What was asked on the command line; see the options' help."""

    source: Path
    out: Path
    maps: tuple[str, ...]
    ignore_unknown: bool
    record_class: str | None
    line: str | None
    date: str | None
    role: str | None
    date_format: str | None
    rejects: Path | None
    compress: bool
    kind: Literal["csv", "ndjson", "parquet"] | None
    encoding: str | None
    delimiter: str | None
    workers: int
    as_json: bool


@click.command(
    "encode", epilog="Exit code: 0 all rows were encoded; 1 done, but some rows were rejected; 2 nothing was written."
)
@click.argument("source", type=PATH, metavar="IN")
@click.option(
    "--out",
    type=PATH,
    required=True,
    metavar="FILE",
    help="Where filings go: NDJSON, or by suffix .parquet, .arrow.",
)
@click.option("--map", "maps", multiple=True, metavar='"HEADING=column"', help="What a heading means; may be repeated.")
@click.option("--ignore-unknown", is_flag=True, help="Leave out headings that are not known.")
@click.option("--class", "record_class", type=click.Choice(RECORD_CLASSES), help="Class of rows that name none.")
@click.option("--line", type=click.Choice(LINES), help="Line of business of rows that name none.")
@click.option("--date", metavar="YYYY-MM-DD", help="Trigger date of rows that name none.")
@click.option("--role", type=click.Choice(ROLES["person"]), help="Role of persons whose rows name none.")
@click.option("--date-format", metavar="FORMAT", help='How these dates are written, as in strptime: "%d/%m/%Y".')
@click.option("--rejects", type=PATH, metavar="FILE", help="Write row, field and reason of rejects: .csv or .ndjson.")
@click.option("--gzip", "compress", is_flag=True, help="Compress the output.")
@click.option(
    "--format", "kind", type=click.Choice(["csv", "ndjson", "parquet"]), help="Format of IN, if not by suffix."
)
@click.option("--encoding", metavar="NAME", help="Encoding of a CSV file [UTF-8].")
@click.option("--delimiter", metavar="CHAR", help="Delimiter of a CSV file [found in its first line].")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that encode.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@with_profile
@with_key
def command(*, profile: Profile, key: LinkageKey, **options: Any) -> None:
    """Encode an extract on this machine; nothing is sent.

    IN is a CSV, NDJSON or Parquet file, or - for standard input. Consecutive rows with one ref become one filing with
    several subjects. Headings are taken as they are named in the guide; others are proposed, never guessed.
    """
    from frankpledge.cli.encoding import run  # noqa: PLC0415 - keeps --help quick

    sys.exit(run(EncodeOptions(**options), profile, key))
