"""The run of `frankpledge screen`: encode here, ask there, show the answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click
import orjson

from frankpledge.cli import tables
from frankpledge.cli.screen import ScreenOptions
from frankpledge.cli.setup import open_pool, record_encoder
from frankpledge.columns import SUBJECT_COLUMNS
from frankpledge.errors import KitError
from frankpledge.keys import LinkageKey
from frankpledge.mapping import ColumnMap, parse_option, plan
from frankpledge.profile import Profile
from frankpledge.questions import Asking, Question
from frankpledge.readers import open_source
from frankpledge.readers.ndjson_rows import BOM, parse
from frankpledge.records import RecordEncoder
from frankpledge.rejects import Reject
from frankpledge.results import Screening
from frankpledge.screening import Answered, screen_rows

CLEAR, PARTLY, ENQUIRE = 0, 1, 3


def run(options: ScreenOptions, profile: Profile, key: LinkageKey) -> int:
    """Ask and print the answers; returns the exit code."""
    given = [options.record is not None, options.ask, bool(options.fields), options.bulk is not None]
    if sum(given) != 1:
        raise KitError("It is not clear whom to ask about.", "Give one of --record, --ask, --bulk or --field.")
    encoder = record_encoder(profile, key)
    asking = _asking(options, profile, encoder)
    if options.bulk is not None:
        return _bulk(options, options.bulk, profile, encoder, asking)
    record = _record(options, profile)
    reference = options.reference or record.get("ref")
    if not reference:
        raise KitError("A screening needs your own reference.", "Give --reference: the quote, claim or case.")
    subjects = encoder.subjects(record, options.role)
    exit_code = CLEAR
    with open_pool(profile) as pool:
        for subject in subjects:
            answer = pool.screen(asking, Question(reference, subject, _stands(options)))
            _show(answer, f"{subject.kind} for {reference}", as_json=options.as_json)
            exit_code = exit_code if answer.clear else ENQUIRE
    return exit_code


def _stands(options: ScreenOptions) -> dict[str, str] | None:
    if options.until and not options.stands:
        raise KitError("A question with --until does not stand.", "Give --stands as well: as a quote or a policy.")
    until = {"until": options.until.date().isoformat()} if options.until else {}
    return {"as": options.stands, **until} if options.stands else None


def _asking(options: ScreenOptions, profile: Profile, encoder: RecordEncoder) -> Asking:
    purpose, line = options.purpose or profile.purpose, options.line or profile.line
    if not purpose or not line:
        raise KitError(
            "A screening needs a purpose and a line.", "Give --purpose and --line, or set them in the profile."
        )
    return encoder.asking(purpose=purpose, line=line, lawful_basis=options.lawful_basis)


def _record(options: ScreenOptions, profile: Profile) -> dict[str, str]:
    if options.ask:
        asked = ((name, click.prompt(name, default="", show_default=False, err=True)) for name in SUBJECT_COLUMNS)
        return {name: value.strip() for name, value in asked if value.strip()}
    record = _object(options.record) if options.record is not None else dict(map(_field, options.fields))
    usual = {**profile.map, **dict(map(parse_option, options.maps))}
    return plan(list(record), {}, usual=usual, ignore_unknown=options.ignore_unknown).apply(record)


def read_record(path: Path, profile: Profile) -> dict[str, str]:
    """Read one flat JSON object by the profile's headings. Raises KitError."""
    record = _object(path)
    return plan(list(record), {}, usual=profile.map, ignore_unknown=False).apply(record)


def _object(path: Path) -> Mapping[str, str]:
    data = sys.stdin.buffer.read(1 << 20) if str(path) == "-" else path.read_bytes()
    row = parse(1, data.removeprefix(BOM))
    if isinstance(row, Reject):
        raise KitError(f"The record cannot be read: {row.field} {row.reason}.", "Give one flat JSON object.")
    if row.claim is not None or row.labels is not None or row.subjects is not None:
        raise KitError("The record is nested.", "Give one flat JSON object with the columns of one subject.")
    return row.cells


def _field(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals:
        raise KitError("A --field option has no '='.", "Write it as --field postcode=VALUE.")
    return name.strip(), value.strip()


def _bulk(options: ScreenOptions, path: Path, profile: Profile, encoder: RecordEncoder, asking: Asking) -> int:
    maps = dict(map(parse_option, options.maps))
    source = open_source(path)
    clear = enquire = rejected = 0
    try:
        columns: ColumnMap = plan(source.headings, maps, usual=profile.map, ignore_unknown=options.ignore_unknown)
        with open_pool(profile) as pool:
            for result in screen_rows(
                pool, encoder, asking, source.rows(), columns=columns, role=options.role, stands=_stands(options)
            ):
                if isinstance(result, Reject):
                    rejected += 1
                    click.echo(f"Row {result.row}: {result.field}: {result.reason}", err=True)
                    continue
                clear += result.screening.clear
                enquire += not result.screening.clear
                _show_row(result, as_json=options.as_json)
    finally:
        source.close()
    click.echo(f"{clear:,} clear, {enquire:,} to enquire, {rejected:,} could not be asked about.", err=True)
    return ENQUIRE if enquire else PARTLY if rejected else CLEAR


def _show_row(result: Answered, *, as_json: bool) -> None:
    if as_json or not result.screening.clear:
        _show(result.screening, f"row {result.row}, {result.kind} for {result.reference}", as_json=as_json)


def _show(answer: Screening, about: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(answer.document).decode())
        return
    console = tables.console()
    for part in tables.screening(answer, about):
        console.print(part)
