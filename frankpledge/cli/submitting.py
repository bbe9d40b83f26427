"""The run of `frankpledge submit`: check, upload, follow, tell."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import click
import orjson

from frankpledge import batches, submission
from frankpledge.batches import Stamp
from frankpledge.cli import tables
from frankpledge.cli.setup import open_pool, refuse_same
from frankpledge.client import Pool
from frankpledge.profile import Profile
from frankpledge.progress import Meter
from frankpledge.results import Batch, RowError
from frankpledge.resumption import run_of, state_directory
from frankpledge.submission import Outcome, Sent

SHOWN_ERRORS = 10
"""Refused rows that are shown in the terminal; the errors file has what the pool keeps of the rest."""


@dataclass(slots=True)
class Refused:
    """Refused rows: those shown, and how many were written to the errors file, where there is one."""

    path: Path | None
    shown: list[RowError] = field(default_factory=list)
    written: int = 0


def run(profile: Profile, source: Path, errors: Path | None, *, wait: bool, dry_run: bool, as_json: bool) -> int:
    """Submit the file and print what became of it; returns the exit code."""
    refuse_same(source, errors)
    stamp = batches.check(source)
    with open_pool(profile) as pool:
        scheme = pool.scheme()
        if warning := submission.clock_warning(scheme):
            click.echo(f"Warning: {warning} Set it by NTP.", err=True)
        submission.refuse_mismatch(scheme, stamp)
        with run_of(source, profile.address(), state_directory(os.environ)) as name:
            sent = _upload(pool, source, stamp, name, dry_run=dry_run)
            refused = Refused(errors)
            outcome = _follow(pool, sent, refused) if wait else Outcome()
    if not wait:
        return _uploaded(sent, as_json=as_json)
    if known := sum(each.known_before for each in sent):
        done = f"{known} of {len(sent)} batches were done before the interruption"
        click.echo(f"{done}; what came of them is counted in.", err=True)
    return _finished(outcome, sent, refused, dry_run=dry_run, as_json=as_json)


def _upload(pool: Pool, source: Path, stamp: Stamp, name: str, *, dry_run: bool) -> list[Sent]:
    sent = []
    with Meter("uploading", stamp.filings) as meter:

        def seen(part: int, whole: int) -> None:
            done = stamp.filings * part // whole
            meter.advance_to(done, done)

        for each in submission.send(pool, source, run=name, dry_run=dry_run, seen=seen):
            sent.append(each)
            done = each.lines_before + (each.filings or stamp.filings)
            meter.advance_to(done, done)
    return sent


def _follow(pool: Pool, sent: list[Sent], refused: Refused) -> Outcome:
    outcome = Outcome()
    total = sum(each.batch.bytes_total for each in sent)
    before = 0
    with ExitStack() as stack:
        meter = stack.enter_context(Meter("processing", total))
        handle = stack.enter_context(refused.path.open("w", encoding="utf-8")) if refused.path else None
        for each in sent:

            def seen(batch: Batch, before: int = before) -> None:
                meter.advance_to(before + batch.bytes_done, outcome.rows["read"] + batch.rows.get("read", 0))

            batch = submission.follow(pool, each.batch, seen)
            outcome.add(batch)
            before += batch.bytes_total
            _note_errors(submission.file_errors(pool, each, batch), refused, handle)
    return outcome


def _note_errors(errors: Iterable[RowError], refused: Refused, handle: TextIO | None) -> None:
    for error in errors:
        if handle:
            handle.write(orjson.dumps(error).decode() + "\n")
            refused.written += 1
        if len(refused.shown) < SHOWN_ERRORS:
            refused.shown.append(error)
        elif not handle:
            return


def _uploaded(sent: list[Sent], *, as_json: bool) -> int:
    if as_json:
        click.echo(orjson.dumps({"batches": [each.batch.id for each in sent]}).decode())
        return 0
    for each in sent:
        what = "known from before" if each.known_before else f"uploaded, {each.batch.status}"
        filings = f"{each.filings:,} filings " if each.filings else ""
        click.echo(f"{each.batch.id}  {filings}{what}")
    click.echo("See `frankpledge status` for how far they are.")
    return 0


def _finished(outcome: Outcome, sent: list[Sent], refused: Refused, *, dry_run: bool, as_json: bool) -> int:
    rows = outcome.rows
    if as_json:
        document = {
            "batches": [each.batch.id for each in sent],
            "dry_run": dry_run,
            "rows": dict(rows),
            "hits": outcome.hits,
            "capped_keys": outcome.capped_keys,
            "failed": [batch.id for batch in outcome.failed],
        }
        click.echo(orjson.dumps(document).decode())
    else:
        _tell(outcome, refused.shown, dry_run=dry_run)
    if refused.path or not as_json:
        _tell_what_is_missing(rows["rejected"], refused)
    if outcome.failed or outcome.cancelled:
        return 2
    return 1 if rows["rejected"] else 0


def _tell(outcome: Outcome, shown: list[RowError], *, dry_run: bool) -> None:
    rows = outcome.rows
    click.echo(
        f"{'Dry run, nothing kept: ' if dry_run else ''}{rows['read']:,} filings read: {rows['created']:,} new, "
        f"{rows['new_version']:,} changed, {rows['unchanged']:,} unchanged, {rows['rejected']:,} refused; "
        f"{outcome.hits:,} hits."
    )
    if outcome.capped_keys:
        click.echo(tables.capped(outcome.capped_keys))
    for batch in outcome.cancelled:
        click.echo(f"Batch {batch.id} was cancelled; what was taken in stays.", err=True)
    for batch in outcome.failed:
        where, expected = batch.failure or ("(batch)", "another content")
        click.echo(f"Batch {batch.id} failed: {where}: expected {expected}.", err=True)
    for error in shown:
        click.echo(f"Line {error.row}: {error.field}: expected {error.expected}", err=True)


def _tell_what_is_missing(rejected: int, refused: Refused) -> None:
    kept = "the pool keeps the first 1,000 of each batch"
    if refused.path is None and rejected > len(refused.shown):
        click.echo(f"There are more refused rows: --errors FILE has them too; {kept}.", err=True)
    if refused.path is not None and rejected > refused.written:
        click.echo(
            f"{rejected - refused.written:,} more refused rows are not in {refused.path}: {kept}. "
            "Correct those that are in it, and submit again to see more.",
            err=True,
        )
