"""The run of `frankpledge encode`: from an extract to a file of encoded filings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from frankpledge import summary, tabular
from frankpledge.cli.encode import EncodeOptions
from frankpledge.cli.setup import record_encoder, refuse_same
from frankpledge.drafts import Draft, Refused, drafts
from frankpledge.errors import KitError
from frankpledge.facts import Defaults, parse_day
from frankpledge.files import replacing
from frankpledge.keys import LinkageKey
from frankpledge.mapping import parse_option, plan
from frankpledge.pipeline import encode_here, encode_with_workers, write
from frankpledge.profile import Profile
from frankpledge.progress import Meter
from frankpledge.readers import Source, open_source
from frankpledge.records import Chunk
from frankpledge.rejects import RejectsFile, Tally
from frankpledge.tabular import lines_to


def run(options: EncodeOptions, profile: Profile, key: LinkageKey) -> int:
    """Encode the file and print the summary; returns the exit code."""
    for output in (options.out, options.rejects):
        refuse_same(options.source, output)
    defaults = Defaults(
        record_class=options.record_class or profile.record_class,
        line=options.line or profile.line,
        date=_day(options.date),
        role=options.role,
        date_format=options.date_format or profile.date_format,
    )
    maps = dict(map(parse_option, options.maps))
    started = time.monotonic()
    source = open_source(
        options.source, options.kind, encoding=options.encoding, delimiter=_one_character(options.delimiter)
    )
    try:
        columns = plan(source.headings, maps, usual=profile.map, ignore_unknown=options.ignore_unknown)
        chunks = _chunks(drafts(source.rows(), columns, defaults), profile, key, options.workers)
        tally = _write(chunks, source, options.out, options.rejects, compress=options.compress)
    finally:
        source.close()
    seconds = time.monotonic() - started
    if options.as_json:
        click.echo(summary.as_json(tally, seconds))
    else:
        click.echo(summary.totals(tally, seconds))
        Console().print(*summary.tables(tally), sep="")
    return 1 if tally.rejected_rows else 0


def _chunks(filings: Iterator[Draft | Refused], profile: Profile, key: LinkageKey, workers: int) -> Iterator[Chunk]:
    encoder = record_encoder(profile, key)
    if workers == 1:
        return encode_here(filings, encoder)
    return encode_with_workers(filings, partial(record_encoder, profile, key), workers)


def _write(chunks: Iterator[Chunk], source: Source, out: Path, rejects: Path | None, *, compress: bool) -> Tally:
    tally = Tally()
    kind = tabular.format_of(out)
    if kind is not None and compress:
        raise KitError(f"--gzip is for NDJSON, and {out.name} is {kind}.", "Leave one of the two out.")
    with (
        replacing(out, compress=compress) as file,
        lines_to(file, kind) as handle,
        RejectsFile(rejects) as rejects_file,
        Meter("encoding", source.total) as meter,
    ):
        for _ in write(chunks, handle, rejects_file, tally):
            meter.advance_to(source.position, tally.rows)
    return tally


def _day(text: str | None) -> str | None:
    day = parse_day(text, None) if text else None
    if text and day is None:
        raise KitError("--date is not a date.", "Write it as YYYY-MM-DD.")
    return day


def _one_character(delimiter: str | None) -> str | None:
    if delimiter is None or len(delimiter) == 1:
        return delimiter
    if delimiter in ("\\t", "tab"):
        return "\t"
    raise KitError("--delimiter is not one character.", "Give one character, or tab.")
