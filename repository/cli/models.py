"""The linkage model that scores pairs: training one, reviewing it, and putting it into use."""

from __future__ import annotations

from typing import IO, Any

import click
from rich.markup import escape

from repository.cli import passwords
from repository.cli.cases import PASSWORD_VARIABLE
from repository.cli.context import Pool, console, print_json, table
from repository.cli.options import as_json_option, by_option, reason_option
from repository.domain.errors import FieldError
from repository.services import learning, models, officers
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.learning import Comparison
from repository.services.lifecycle import Act
from repository.services.modelling import Description, TooLittleError, current_model, describe, train_model
from repository.services.models import OUTCOMES, UNLABELLED, Candidate, ModelError
from repository.services.onboarding import OnboardingError

SAMPLE = 20_000
_MEASURES = {"log_loss": "log loss", "brier": "Brier score", "calibration_error": "calibration error"}


@click.group()
def model() -> None:
    """The linkage model that scores pairs."""


@model.command("show")
@click.argument("model_id", metavar="[MODEL]", required=False)
@as_json_option
@click.pass_obj
def show(pool: Pool, model_id: str | None, as_json: bool) -> None:
    """Show a model, or the one in use: its card, who reviewed it, and the match weights of persons in bits."""
    kept: dict[str, Any] | None = None
    if model_id is None:
        found = current_model(pool.settings)
    else:
        try:
            with pool.database.reading() as connection:
                found, kept = models.find(connection, pool.settings, model_id)
        except ModelError as error:
            raise click.ClickException(str(error)) from None
    if as_json:
        print_json({"id": found.id, "schema": found.schema, "card": dict(found.card), "kept": kept})
        return
    _print(describe(found), kept)


@model.command("list")
@as_json_option
@click.pass_obj
def list_models(pool: Pool, as_json: bool) -> None:
    """List the models that are kept, the first made first: none is ever removed."""
    with pool.database.reading() as connection:
        found = models.listed(connection)
    if as_json:
        print_json(found)
        return
    rows = table("model", "from", "made", "by", "reviewed by", "status", "live hits")
    for each in found:
        who = (each["made_by"] or "-", each["reviewed_by"] or "-")
        rows.add_row(each["id"], each["origin"], each["made_at"][:10], *who, each["status"], f"{each['hits']:,}")
    console().print(rows if found else "No model is kept yet: the one in use is, once the service was started.")


@model.command("train")
@click.option("--from-outcomes", is_flag=True, help="Learn from what members found of hits, not from encodings alone.")
@click.option("--sample", type=click.IntRange(1000), default=SAMPLE, show_default=True, help="Persons to draw.")
@click.option("--dry-run", is_flag=True, help="Show the model and how it does without keeping it.")
@click.option("--officer", metavar="USERNAME", help="The operator who trains; not needed with --dry-run.")
@passwords.password_file
@as_json_option
@click.pass_obj
def train(pool: Pool, /, *, from_outcomes: bool, sample: int, dry_run: bool, as_json: bool, **officer: Any) -> None:
    """Train a model: a candidate, that another operator reviews before it can be used.

    On the pool's own encodings, without labels or plain text, or from outcomes. Old and new are held side by side
    against outcomes that are held back from training, if there are any. Who trains is shown by the password, so that
    who reviews is surely another.
    """
    if officer["officer"] is None and not dry_run:
        raise click.UsageError("say with --officer who trains, or --dry-run")
    moment = now()
    by = None if dry_run else _officer(pool, officer["officer"], officer["password_file"])
    services = compose(pool.settings)
    try:
        base = current_model(pool.settings)
        with services.database.read(long=True) as session:
            found = learning.collect(services.sealer, session.connection())
        trained = learning.learn(base, found, moment) if from_outcomes else train_model(services, sample, moment)
        comparison = learning.compare(base, trained, found.held_back)
        candidate = Candidate(trained, OUTCOMES if from_outcomes else UNLABELLED, base.id, comparison)
        if by is not None:
            with services.database.writing() as connection:
                models.propose(connection, Act(moment, by), candidate, base, pool.settings)
    except (TooLittleError, ModelError) as error:
        raise click.ClickException(str(error)) from None
    finally:
        services.database.close()
    if as_json:
        told = {"id": trained.id, "base": base.id, "card": dict(trained.card), "kept": not dry_run}
        print_json(told | {"remarks": dict(found.remarks), "comparison": comparison.as_dict()})
        return
    _print(describe(trained), None)
    _print_comparison(base.id, trained.id, comparison)
    if dry_run:
        console().print("Not kept (--dry-run).")
        return
    console().print(f"Kept as a candidate. Next: frankpledge-admin model review {trained.id} --officer USERNAME ...")


@model.command("review")
@click.argument("model_id", metavar="MODEL")
@click.option("--officer", required=True, metavar="USERNAME", help="The operator who reviews: not who trained it.")
@reason_option("What was looked at, and what speaks for the model.", required=True)
@passwords.password_file
@click.pass_obj
def review(pool: Pool, *, model_id: str, officer: str, reason: str, password_file: IO[str] | None) -> None:
    """Review a model that another operator trained. The reviewer shows who they are by their password."""
    act = Act(now(), _officer(pool, officer, password_file), reason)
    try:
        with pool.database.writing() as connection:
            models.review(connection, act, model_id)
    except (ModelError, FieldError) as error:
        raise click.ClickException(str(error)) from None
    console().print(f"Reviewed. Next: frankpledge-admin model adopt {model_id}")


@model.command("adopt")
@click.argument("model_id", metavar="MODEL")
@click.option("--worse", is_flag=True, help="Though it does worse on the outcomes held back; needs --reason.")
@reason_option("Why.", required=False)
@by_option
@as_json_option
@click.pass_obj
def adopt(pool: Pool, *, model_id: str, worse: bool, reason: str | None, by: str | None, as_json: bool) -> None:
    """Put a reviewed model, or one that was used before, into use from the next start on."""
    services = compose(pool.settings)
    before = services.linker.model_id
    try:
        with services.database.read() as session:
            actor_id = officers.acting(session, by)
        comparison = models.adopt(services, Act(now(), actor_id, reason), model_id, worse=worse)
    except (OnboardingError, ModelError) as error:
        raise click.ClickException(str(error)) from None
    finally:
        services.database.close()
    if as_json:
        print_json({"id": model_id, "before": before, "comparison": comparison.as_dict()})
        return
    _print_comparison(before, model_id, comparison)
    console().print(f"In use from the next start: [bold]{model_id}[/]. Then: frankpledge-admin rescreen --follow")


@model.command("reset")
@by_option
@click.pass_obj
def reset(pool: Pool, by: str | None) -> None:
    """Go back to the shipped model from the next start on. The one in use is kept, and may be adopted again."""
    try:
        with pool.database.read() as session:
            act = Act(now()) if by is None else Act(now(), officers.acting(session, by))
        shipped = models.reset(pool.database, pool.settings, act)
    except OnboardingError as error:
        raise click.ClickException(str(error)) from None
    console().print(f"In use from the next start: [bold]{shipped.id}[/].")


def _officer(pool: Pool, username: str, password_file: IO[str] | None) -> str:
    """The actor's id of an operator who shows by the password who they are."""
    password = passwords.given(PASSWORD_VARIABLE, password_file) or click.prompt("Password", hide_input=True)
    try:
        with pool.database.read() as session:
            return officers.officer(session, username, password)
    except OnboardingError as error:
        raise click.ClickException(str(error)) from None


def _print(shown: Description, kept: dict[str, Any] | None) -> None:
    console().print(f"[bold]{shown.id}[/] for {shown.schema}")
    for name, value in shown.card.items():
        if not isinstance(value, dict):
            console().print(f"  {name.replace('_', ' ')}: {value}")
    names = ("status", "origin", "made_by", "reviewed_by", "review", "adopted_by", "adopted_at", "left_at", "reason")
    for name in names if kept else ():
        if kept and kept[name] is not None:
            console().print(f"  {name.replace('_', ' ')}: {escape(kept[name])}")
    rows = table("comparison", "level", "bits")
    for comparison, level, weight in shown.weights:
        rows.add_row(comparison, level, f"{weight:+.1f}")
    console().print(rows)


def _print_comparison(old_id: str, new_id: str, comparison: Comparison) -> None:
    """Old and new side by side."""
    if not comparison.weight:
        console().print("No outcomes of three members or more are held back to compare with.")
        return
    told = comparison.as_dict()
    rows = table("on outcomes held back", old_id, new_id)
    rows.add_row("pairs", str(told["pairs"]), str(told["pairs"]))
    for name, words in _MEASURES.items():
        rows.add_row(words, f"{told['old'][name]:.4f}", f"{told['new'][name]:.4f}")
    for band in told["new"]["bands"]:
        for measure in ("precision", "recall"):
            sides = [told[side]["bands"][band][measure] for side in ("old", "new")]
            rows.add_row(f"{band} or better: {measure}", *("-" if each is None else f"{each:.4f}" for each in sides))
    console().print(rows)
    for each in told["moved"]:
        console().print(f"  {each['pairs']} from {each['from']} to {each['to']}")
    if comparison.worse:
        console().print("[bold red]The new one does worse[/]: it says less well what people found.")
