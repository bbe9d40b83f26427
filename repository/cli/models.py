"""The linkage model that scores pairs: which one is in use, and training the pool's own."""

from __future__ import annotations

import click

from repository.cli.context import Pool, console, print_json, table
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.modelling import Description, TooLittleError, current_model, describe, store_model, train_model

SAMPLE = 20_000


@click.group()
def model() -> None:
    """The linkage model that scores pairs."""


@model.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON.")
@click.pass_obj
def show(pool: Pool, as_json: bool) -> None:
    """Show the model in use: its card, and the match weights of persons in bits."""
    current = current_model(pool.settings)
    if as_json:
        print_json({"id": current.id, "schema": current.schema, "card": dict(current.card)})
        return
    _print(describe(current))


@model.command("train")
@click.option("--sample", type=click.IntRange(1000), default=SAMPLE, show_default=True, help="Persons to draw.")
@click.option("--dry-run", is_flag=True, help="Show the model without putting it into use.")
@click.pass_obj
def train(pool: Pool, sample: int, dry_run: bool) -> None:
    """Train on the pool's own encodings: no labels, no plain text. Hits keep the model they were scored with."""
    services = compose(pool.settings)
    try:
        trained = train_model(services, sample, now())
    except TooLittleError as error:
        raise click.ClickException(str(error)) from None
    finally:
        services.database.close()
    _print(describe(trained))
    if dry_run:
        console().print("Not put into use (--dry-run).")
        return
    store_model(pool.settings, trained)
    console().print(f"In use from the next start: [bold]{trained.id}[/].")


@model.command("reset")
@click.pass_obj
def reset(pool: Pool) -> None:
    """Go back to the shipped model from the next start on."""
    pool.settings.model_file.unlink(missing_ok=True)
    console().print(f"In use from the next start: [bold]{current_model(pool.settings).id}[/].")


def _print(shown: Description) -> None:
    console().print(f"[bold]{shown.id}[/] for {shown.schema}")
    for name, value in shown.card.items():
        if not isinstance(value, dict):
            console().print(f"  {name.replace('_', ' ')}: {value}")
    rows = table("comparison", "level", "bits")
    for comparison, level, weight in shown.weights:
        rows.add_row(comparison, level, f"{weight:+.1f}")
    console().print(rows)
