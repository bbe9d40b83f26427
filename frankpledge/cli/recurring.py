"""What commands share that have something recur: their options, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from frankpledge.errors import KitError

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OPTIONS = (
    click.option("--every", type=click.Choice(["daily", "weekly", "monthly"]), help="How often."),
    click.option("--at", metavar="HH:MM", help="At which time of day."),
    click.option("--zone", metavar="NAME", help="Whose time, such as Europe/London; else the scheme's."),
    click.option("--weekday", type=click.Choice(_DAYS), help="Of a weekly one."),
    click.option("--day", type=click.IntRange(1, 31), help="Of a monthly one; the last day of a shorter month."),
)


def OPTIONS(function: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802 - used as the other options are
    """Add the options of a schedule to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def given(options: Mapping[str, Any]) -> dict[str, object] | None:
    """Return the schedule that options give; None where they give none. Raises KitError for half of one."""
    said = {name: value for name, value in options.items() if value is not None}
    if not said:
        return None
    if not {"every", "at"} <= said.keys():
        raise KitError("It is not clear when.", "Give --every and --at.")
    return said


def told(schedule: Mapping[str, Any]) -> str:
    """Say a schedule in a line."""
    on = schedule.get("weekday") or (f"day {schedule['day']}" if "day" in schedule else "")
    when = " ".join(filter(None, (schedule["every"], on, "at", schedule["at"], schedule["zone"])))
    last = f"; last {schedule['last_at'][:16]}: {schedule['last']}" if schedule.get("last_at") else ""
    return f"{when}; next {schedule['next_at'][:16]} UTC{last}"
