"""Options that several commands on members share, and what they are read to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

import click

from repository.cli.context import Pool
from repository.domain.errors import FieldError
from repository.domain.rulebook import Rulebook
from repository.services.applications import volumes
from repository.services.clock import now
from repository.services.rulebooks import Rulebooks

_Command = TypeVar("_Command", bound=Callable[..., Any])

DAY = click.DateTime(["%Y-%m-%d"])
MONTH = click.DateTime(["%Y-%m"])
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
by_option = click.option("--by", metavar="USERNAME", help="The operator who does it.  [default: the only one]")


def reason_option(help_text: str, *, required: bool) -> Callable[[_Command], _Command]:
    """--reason, in words."""
    return click.option("--reason", required=required, help=help_text)


def volumes_option(name: str, **options: Any) -> Callable[[_Command], _Command]:
    """Volumes a month as line/class=number, read to a dict by (line, class)."""
    return click.option(name, multiple=True, metavar="LINE/CLASS=N", callback=_volumes, **options)


def volumes_argument(name: str) -> Callable[[_Command], _Command]:
    """The same as arguments."""
    return click.argument(name, nargs=-1, required=True, metavar="LINE/CLASS=N...", callback=_volumes)


def as_date(moment: datetime | None) -> date | None:
    """The day of an option of type DAY or MONTH."""
    return moment.date() if moment else None


def rulebook(pool: Pool) -> Rulebook:
    """The rulebook in force now."""
    return Rulebooks(pool.database).at(now())


def _volumes(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[tuple[str, str], int]:
    parts = [value.partition("=") for value in values]
    if not all(number.isascii() and number.isdigit() and len(number) <= 9 for _, _, number in parts):
        raise click.BadParameter("expected LINE/CLASS=N, such as motor/customer=800")
    try:
        return volumes((key, int(number)) for key, _, number in parts)
    except FieldError:
        raise click.BadParameter("expected LINE/CLASS=N, each LINE/CLASS once, such as motor/customer=800") from None
