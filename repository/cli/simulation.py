"""Trying a rulebook out: on a generated market, or on what the members really filed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from repository.cli.context import Pool, console, print_json, table
from repository.cli.rulebook import CURRENT, either
from repository.domain.rulebook import Rulebook
from repository.services import past
from repository.services.clock import now
from repository.services.rulebooks import SHIPPED
from repository.simulation.claims import Claim, check, told
from repository.simulation.market import DAYS_PER_MONTH, Market, generate, plan
from repository.simulation.profiles import CAST
from repository.simulation.running import STEPS, Course, run
from repository.simulation.summary import Summary, summarise

_BEGIN = date(2026, 1, 1)  # any day does: the same seed gives the same market


@click.command()
@click.option("--rules", help="A file, a version, `current` or `shipped`.  [default: current; without a pool: shipped]")
@click.option("--members", default=50, show_default=True, type=click.IntRange(len(CAST), 400))
@click.option("--months", default=18, show_default=True, type=click.IntRange(1, 60))
@click.option("--seed", default=7, show_default=True, type=click.IntRange(0))
@click.option(
    "--overlap",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 2.5),
    help="How much the books share.",
)
@click.option("--history", is_flag=True, help="Judge what the members really filed, and compare with today's rulebook.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Draw a chart (PNG and SVG) into it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def simulate(
    pool: Pool,
    *,
    rules: str | None,
    members: int,
    months: int,
    seed: int,
    overlap: float,
    history: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Judge a market under a rulebook, day by day, and tell who ends where. Nothing is written to the pool.

    The market is generated: honest insurers large and tiny, free riders, junk, a late giant, new entrants. With
    --history it is the pool's own: its members by id, and what they filed in these months.
    """
    tried = either(pool, rules or (CURRENT if pool.exists else SHIPPED)).rulebook
    if history:
        _simulate_history(pool, tried, months, out=out, as_json=as_json)
        return
    rng = np.random.default_rng(seed)
    market = generate(plan(members, months, overlap), tried, _BEGIN, rng)
    courses = _run(market, tried, rng)
    rows = [summarise(course, tried) for course in courses]
    claims = check(rows)
    drawn = _draw(courses, tried, f"Rulebook {tried.version}, {members} members, seed {seed}", out)
    if as_json:
        about = {"rulebook": tried.version, "digest": tried.digest, "months": months, "seed": seed, "overlap": overlap}
        told = {"members": [row.as_dict() for row in rows], "claims": [each.as_dict() for each in claims]}
        print_json(about | told | drawn)
        return
    _print_rows(rows)
    _print_claims(claims)
    _print_files(drawn)


def _simulate_history(pool: Pool, tried: Rulebook, months: int, *, out: Path | None, as_json: bool) -> None:
    present = either(pool, CURRENT).rulebook
    with pool.database.read() as session:
        market = past.market(session, round(months * DAYS_PER_MONTH), now().date())
    if not market.players:
        raise click.ClickException("no member of this pool contributes anything yet")
    courses = _run(market, tried, np.random.default_rng(0))  # with real ledgers nothing is drawn from it
    rows = [summarise(each, tried) for each in courses]
    before = [summarise(each, present) for each in _run(market, present, np.random.default_rng(0))]
    changed = [(row, old) for row, old in zip(rows, before, strict=True) if row != old]
    drawn = _draw(courses, tried, f"Rulebook {tried.version} on what members filed", out)
    if as_json:
        about = {"rulebook": tried.version, "digest": tried.digest, "in_force": present.version}
        told = {"members": [row.as_dict() for row in rows], "in_force_members": [row.as_dict() for row in before]}
        print_json(about | told | drawn)
        return
    _print_rows(rows)
    _print_changes(changed, tried, present)
    _print_files(drawn)


def _run(market: Market, rules: Rulebook, rng: np.random.Generator) -> tuple[Course, ...]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Under {rules.version}", total=market.days)
        return run(market, rules, rng, note=lambda day: progress.update(task, completed=day))


def _draw(courses: Sequence[Course], rules: Rulebook, title: str, out: Path | None) -> dict[str, str]:
    if out is None:
        return {}
    try:
        from repository.simulation.drawing import draw  # noqa: PLC0415 - only who draws needs matplotlib
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise click.ClickException("a chart needs matplotlib: pip install '.[simulation]'") from None
    png, svg = draw(courses, rules, title, out)
    return {"png": str(png), "svg": str(svg)}


def _print_rows(rows: Sequence[Summary]) -> None:
    made = table(
        "member", "who", "days " + "/".join(step.value for step in STEPS), "proven", "claim", "customer",
        "claims at full tier from day", "restricted on day", "tier <= 1 from day", "refused", "at full tier",
    )  # fmt: skip
    for row in rows:
        made.add_row(
            row.member,
            escape(f"{row.group}: {row.label}" if row.group != row.member else row.label),
            "/".join(str(row.steps[step]) for step in STEPS),
            *(str(row.tiers[record_class]) for record_class in ("proven", "claim", "customer")),
            *("-" if day is None else str(day) for day in (row.claims_from, row.first_restricted, row.held_from)),
            f"{row.refused:,} of {row.asked:,}",
            f"{row.full_share:.0%}",
        )
    console().print(made)
    console().print("Days count from a member's admission; tiers are those at the end.\n")


def _print_claims(claims: Sequence[Claim]) -> None:
    made = table("what the rules are for", "of members", "holds", "on day")
    for each in claims:
        held = "[green]yes[/]" if each.holds else f"[red]no[/]: {escape('; '.join(each.failing))}"
        made.add_row(each.claim, str(each.members), held, told(each.days))
    console().print(made)
    console().print("On day: that of the middle member, and of the last.\n")


def _print_changes(changed: Sequence[tuple[Summary, Summary]], tried: Rulebook, present: Rulebook) -> None:
    made = table("member", "line", "what", present.version, tried.version)
    for row, old in changed:
        after, before = row.as_dict(), old.as_dict()
        for what in before:
            if before[what] != after[what]:
                made.add_row(row.member, row.line, what, _told(before[what]), _told(after[what]))
    console().print(made if changed else f"Nothing would have been different from {present.version}.")


def _told(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {each}" for name, each in value.items())
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _print_files(drawn: dict[str, str]) -> None:
    for path in drawn.values():
        console().print(f"Drawn: {escape(path)}")
