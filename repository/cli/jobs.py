"""Rescreening the pool, and the jobs there are besides batches."""

from __future__ import annotations

import time
from typing import Any

import click
from rich.progress import Progress
from sqlalchemy import RowMapping

from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import as_json_option
from repository.domain.jobs import JobKind
from repository.services import rescreening
from repository.services.compose import compose
from repository.storage import jobs

_KINDS = [kind.value for kind in JobKind]
LOOK = 0.5
"""Seconds between two looks at a job that is followed."""


@click.command()
@click.option("--follow", is_flag=True, help="Wait until it is over, and show how far it is.")
@as_json_option
@click.pass_obj
def rescreen(pool: Pool, *, follow: bool, as_json: bool) -> None:
    """Look for the hits of every filing again: after another model or rulebook.

    A worker does it, once it has loaded the model in use now: restart the service and its workers first. Hits that
    match no more end, but for those of which a member said something; all others keep their ids.
    """
    services = compose(pool.settings)
    try:
        row = rescreening.ask_for_all(services)
    except rescreening.OneAtATimeError as error:
        raise click.ClickException(f"{error.job_id} is not over: follow it with `frankpledge-admin job show`") from None
    finally:
        services.database.close()
    _show(_followed(pool, row) if follow else row, as_json=as_json)


@click.group()
def job() -> None:
    """Jobs besides batches: rescreens, deliveries of webhooks, and the removal of what is kept no longer."""


@job.command("list")
@click.option("--kind", "kinds", type=click.Choice(_KINDS), multiple=True, help="Only of this kind.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="The newest so many.")
@as_json_option
@click.pass_obj
def list_jobs(pool: Pool, kinds: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List jobs, newest first."""
    with pool.database.reading() as connection:
        found = jobs.listed(connection, [JobKind(kind) for kind in kinds or list(JobKind)], limit=limit)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    rows = table("job", "kind", "member", "status", "done", "attempts", "error", "since")
    for each in found:
        done = f"{each['done']:,} of {each['total']:,}"
        since = each["created_at"].isoformat(timespec="seconds")
        who, error = each["member_id"] or "all", each["error"] or ""
        rows.add_row(each["id"], each["kind"], who, each["status"], done, str(each["attempts"]), error, since)
    console().print(rows if found else "No jobs.")


@job.command("show")
@click.argument("job_id")
@click.option("--follow", is_flag=True, help="Wait until it is over, and show how far it is.")
@as_json_option
@click.pass_obj
def show_job(pool: Pool, job_id: str, *, follow: bool, as_json: bool) -> None:
    """Show one job."""
    row = _look(pool, job_id)
    _show(_followed(pool, row) if follow else row, as_json=as_json)


@job.command("cancel")
@click.argument("job_id")
@as_json_option
@click.pass_obj
def cancel_job(pool: Pool, job_id: str, *, as_json: bool) -> None:
    """Cancel a rescreen: at once while it waits, else after the filings at hand."""
    services = compose(pool.settings)
    try:
        row = rescreening.cancel(services, None, job_id)
    finally:
        services.database.close()
    if row is None:
        raise click.ClickException("there is no such rescreen")
    _show(row, as_json=as_json)


def _look(pool: Pool, job_id: str) -> RowMapping:
    with pool.database.reading() as connection:
        row = jobs.one(connection, job_id)
    if row is None:
        raise click.ClickException("there is no such job")
    return row


def _followed(pool: Pool, row: RowMapping) -> RowMapping:
    shown = console()
    with Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task(row["kind"], total=row["total"])
        while row["finished_at"] is None:
            time.sleep(LOOK)
            row = _look(pool, row["id"])
            progress.update(task, completed=row["done"])
    return row


def _show(row: RowMapping, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(row))
        return
    console().print(f"[bold]{row['id']}[/]  {row['status']}, {row['done']:,} of {row['total']:,}")
    if row["error"]:
        console().print(f"What stands against it: {row['error']}")


def _as_json(row: RowMapping) -> dict[str, Any]:
    names = ("id", "kind", "status", "done", "total", "attempts", "error", "created_at", "finished_at")
    return {"member": row["member_id"]} | {name: row[name] for name in names}
