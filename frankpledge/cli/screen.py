"""`frankpledge screen`: its options. The work is in `frankpledge.cli.asking`, imported when it is wanted."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from frankpledge.cli.setup import PATH, with_key, with_profile
from frankpledge.profile import Profile
from matching.vocabulary import LINES, PURPOSES, ROLES

if TYPE_CHECKING:
    from frankpledge.keys import LinkageKey

ALL_ROLES = tuple(dict.fromkeys(role for roles in ROLES.values() for role in roles))


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """What was asked on the command line; see the options' help."""

    record: Path | None
    ask: bool
    fields: tuple[str, ...]
    bulk: Path | None
    maps: tuple[str, ...]
    ignore_unknown: bool
    purpose: str | None
    line: str | None
    reference: str | None
    lawful_basis: str | None
    role: str
    stands: str | None
    until: dt.datetime | None
    as_json: bool


@click.command(
    "screen",
    epilog="Exit code: 0 clear; 3 enquire (of a --bulk file: at least one); "
    "1 some rows of a --bulk file could not be asked about, the rest is clear; 2 not asked.",
)
@click.option("--record", type=PATH, metavar="FILE", help="One record as a JSON object; - is standard input.")
@click.option("--ask", is_flag=True, help="Ask for the record's fields here in the terminal.")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="One field of the record. Other users of this machine can see it: for tests, not for people's data.",
)
@click.option("--bulk", type=PATH, metavar="FILE", help="Ask about every row of a CSV, NDJSON or Parquet file.")
@click.option("--map", "maps", multiple=True, metavar='"HEADING=column"', help="What a heading or key means.")
@click.option("--ignore-unknown", is_flag=True, help="Leave out headings that are not known.")
@click.option("--purpose", type=click.Choice(PURPOSES), help="Why you ask, if the profile does not say.")
@click.option("--line", type=click.Choice(LINES), help="Line of business, if the profile does not say.")
@click.option("--reference", metavar="REF", help="Your own quote, claim or case; else the column ref.")
@click.option("--lawful-basis", metavar="TEXT", help="The lawful basis, if your scheme wants it said.")
@click.option("--role", type=click.Choice(ALL_ROLES), default="policyholder", show_default=True)
@click.option("--stands", type=click.Choice(["quote", "policy"]), help="Be alerted when somebody files it later.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it stands.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, one line for each subject.")
@with_profile
@with_key
def command(*, profile: Profile, key: LinkageKey, **options: Any) -> None:
    """Ask the pool about a person, a vehicle or an organisation.

    The record is encoded on this machine; only keys are sent. Give it by --record, --ask or --bulk rather than by
    --field, which others can see in the list of processes. A record with a vehicle in it asks twice.
    """
    from frankpledge.cli.asking import run  # noqa: PLC0415 - keeps --help quick

    sys.exit(run(ScreenOptions(**options), profile, key))
