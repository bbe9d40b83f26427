"""The rulebook: checking, loading, showing and comparing them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import click
from rich.markup import escape

from repository.cli.context import Pool, console, print_json, table
from repository.cli.groups import LazyGroup
from repository.services import rulebook_file
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.rulebook_diff import Change, changed_entries, flat
from repository.services.rulebook_effects import Effect, member_effects
from repository.services.rulebook_words import value
from repository.services.rulebooks import BEGINNING, SHIPPED, Edition, RulebookError, Rulebooks

CURRENT = "current"
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
_day = click.DateTime(["%Y-%m-%d"])
_file = click.Path(dir_okay=False, path_type=Path)


_TRIED = "Play a rulebook through with members of every kind, or over what happened."


@click.group(cls=LazyGroup, named={"simulate": ("repository.cli.simulation:simulate", _TRIED)})
def rulebook() -> None:
    """Check, load, show and compare rulebooks: the numbers of the scheme's rules."""


@rulebook.command()
@click.argument("file", type=_file)
def check(file: Path) -> None:
    """Say whether a file is a rulebook, and what is expected of each entry that is not as it should be."""
    read = rulebook_file.read(_text(file))
    console().print(f"[green]A rulebook:[/] {escape(read.title)}, version [bold]{read.version}[/].")
    console().print(f"SHA-256 {read.digest}")


@rulebook.command()
@click.argument("file")
@click.option("--effective", type=_day, required=True, help="The first day it holds (UTC): today or later.")
@click.pass_obj
def load(pool: Pool, file: str, effective: datetime) -> None:
    """Have the rulebook in FILE hold from a day on; `shipped` is the one that came with this version.

    Until that day comes, the same file may be loaded again for another day.
    """
    text = rulebook_file.default_text() if file == SHIPPED else _text(Path(file))
    edition = Rulebooks(pool.database).load(text, effective.date(), now=now())
    console().print(
        f"Version [bold]{edition.rulebook.version}[/] holds from {edition.effective_from} on (UTC).\n"
        f"SHA-256 {edition.rulebook.digest}"
    )


@rulebook.command()
@click.argument("version", default=CURRENT)
@click.option("--at", type=_day, help="The one in force on that day, instead.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--toml", "as_toml", is_flag=True, help="Print the file, byte for byte.")
@click.pass_obj
def show(pool: Pool, *, version: str, at: datetime | None, as_json: bool, as_toml: bool) -> None:
    """Show the rulebook in force, or another one by its version."""
    rulebooks = Rulebooks(pool.database)
    edition = rulebooks.on(at.date()) if at else _edition(rulebooks, version)
    if as_toml:
        click.echo(edition.text, nl=False)
    elif as_json:
        print_json(_facts(edition) | {"rules": edition.entries})
    else:
        _print_edition(edition)


@rulebook.command("list")
@_as_json
@click.pass_obj
def list_rulebooks(pool: Pool, as_json: bool) -> None:
    """List the rulebooks, in the order in which they come into force."""
    rulebooks = Rulebooks(pool.database)
    found, today = rulebooks.editions(), rulebooks.on(now().date())
    if as_json:
        print_json([_facts(each) | {"in_force": each is today} for each in found])
        return
    rows = table("version", "title", "from (UTC)", "loaded", "by", "SHA-256")
    for each in found:
        facts = (_since(each), _loaded(each), each.loaded_by, each.rulebook.digest[:12])
        mark = " [green](in force)[/]" if each is today else ""
        rows.add_row(f"{each.rulebook.version}{mark}", escape(each.rulebook.title), *facts)
    console().print(rows)
    shipped = rulebook_file.default()
    if all(each.rulebook.digest != shipped.digest for each in found):
        console().print(
            f"This version of the software brings {shipped.version}, which is not loaded:"
            " `frankpledge-admin rulebook diff current shipped` tells what it would change."
        )


@rulebook.command()
@click.argument("old")
@click.argument("new")
@_as_json
@click.pass_obj
def diff(pool: Pool, old: str, new: str, as_json: bool) -> None:
    """Tell what changes from OLD to NEW: versions, files, `current` or `shipped`.

    First the entries, then what differs for which member, if each of the two had always been in force.
    """
    before, after = either(pool, old), either(pool, new)
    changes = changed_entries(before.entries, after.entries)
    effects = _effects(pool, before, after) if pool.exists else []
    if as_json:
        print_json(
            {
                "old": before.rulebook.version,
                "new": after.rulebook.version,
                "entries": [each.as_dict() for each in changes],
                "members": [each.as_dict() for each in effects],
            }
        )
        return
    names = before.rulebook.version, after.rulebook.version
    _print_changes(changes, *names)
    if pool.exists:
        console().print()
        _print_effects(effects, *names)


def _effects(pool: Pool, old: Edition, new: Edition) -> list[Effect]:
    services = compose(pool.settings)
    try:
        return list(member_effects(services, old.rulebook, new.rulebook))
    finally:
        services.database.close()


def _print_changes(changes: Iterable[Change], old: str, new: str) -> None:
    rows = table("entry", old, new)
    for each in changes:
        rows.add_row(each.entry, escape(value(each.old)), escape(value(each.new)))
    console().print(rows if rows.row_count else f"No entry differs between {old} and {new}.")


def _print_effects(effects: Iterable[Effect], old: str, new: str) -> None:
    rows = table("member", "line", "what", f"always {old}", f"always {new}")
    for each in effects:
        told = (value(each.old), value(each.new))
        rows.add_row(escape(each.member.name), each.line or "(all)", each.what, *told)
    console().print(rows if rows.row_count else "Nothing differs for any member.")


def _print_edition(edition: Edition) -> None:
    console().print(
        f"[bold]{edition.rulebook.version}[/]  {escape(edition.rulebook.title)}\n"
        f"from {_since(edition)}, loaded {_loaded(edition)} ({edition.loaded_by})\n"
        f"SHA-256 {edition.rulebook.digest}\n"
    )
    rows = table("entry", "value")
    for entry, found in flat(edition.entries):
        if entry not in ("version", "title"):
            rows.add_row(entry, escape(value(found)))
    console().print(rows)


def _text(file: Path) -> str:
    try:
        return rulebook_file.read_bytes(file.read_bytes())
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from None


def either(pool: Pool, named: str) -> Edition:
    """The rulebook in a file, or a stored one by its version; only for that a pool is needed."""
    if named == SHIPPED:
        return _from_text(rulebook_file.default_text())
    if Path(named).suffix == ".toml" or Path(named).is_file():
        return _from_text(_text(Path(named)))
    return _edition(Rulebooks(pool.database), named)


def _from_text(text: str) -> Edition:
    rulebook_file.read(text)
    read, entries = rulebook_file.read_stored(text)
    return Edition(read, text, entries, BEGINNING, None, "")


def _edition(rulebooks: Rulebooks, version: str) -> Edition:
    edition = rulebooks.on(now().date()) if version == CURRENT else rulebooks.find(version)
    if edition is None:
        raise RulebookError(
            f"there is no rulebook {version}, and no such file: `frankpledge-admin rulebook list` shows the versions"
        )
    return edition


def _facts(edition: Edition) -> dict[str, object]:
    return {
        "version": edition.rulebook.version,
        "title": edition.rulebook.title,
        "digest": edition.rulebook.digest,
        "effective_from": edition.effective_from if edition.effective_from > BEGINNING else None,
        "loaded_at": edition.loaded_at,
        "loaded_by": edition.loaded_by,
    }


def _since(edition: Edition) -> str:
    since: date = edition.effective_from
    return since.isoformat() if since > BEGINNING else "the beginning"


def _loaded(edition: Edition) -> str:
    return f"{edition.loaded_at:%Y-%m-%d %H:%M}" if edition.loaded_at else "never"
