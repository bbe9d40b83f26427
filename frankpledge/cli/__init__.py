"""The command `frankpledge`: what an insurer's people and nightly jobs type.

Commands are imported when they are used, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from frankpledge.errors import KitError

COMMANDS = {
    "keys": ("frankpledge.cli.keys", "Make, show, import and export the linkage key."),
    "encode": ("frankpledge.cli.encode", "Encode an extract (CSV, NDJSON, Parquet) on this machine."),
    "submit": ("frankpledge.cli.submit", "Upload an encoded file to the pool."),
    "screen": ("frankpledge.cli.screen", "Ask the pool about a person, a vehicle or an organisation."),
    "rescreen": ("frankpledge.cli.rescreen", "Have the own filings looked for in the pool again."),
    "status": ("frankpledge.cli.status", "Show the scheme, the own standing and the last batches."),
    "hits": ("frankpledge.cli.hits", "List hits, or show one with its explanation."),
    "networks": ("frankpledge.cli.networks", "List networks of claims that the same people link."),
    "disclosure": ("frankpledge.cli.disclosure", "Ask contributors for the detail of a record, and answer them."),
    "subject": ("frankpledge.cli.subject", "What persons ask about the records on them."),
    "alerts": ("frankpledge.cli.alerts", "Read what the pool alerts of, and have digests of it sent."),
    "watch": ("frankpledge.cli.watch", "See and end screenings that stand, and have the own book looked for again."),
    "cases": ("frankpledge.cli.cases", "Work on what was found: list, claim, note, find, decide."),
    "correction": ("frankpledge.cli.correction", "See what became of records that you were shown, and acknowledge it."),
    "dispute": ("frankpledge.cli.dispute", "Say that a record is wrong, and answer who says so of yours."),
    "proof": ("frankpledge.cli.proof", "Enter, approve and list what proven cases stand on."),
    "filing": ("frankpledge.cli.filing", "Withdraw own filings, see which expire, and the proof that they are gone."),
    "login": ("frankpledge.cli.login", "Put the credentials into this machine's keyring."),
    "logout": ("frankpledge.cli.logout", "Take the credentials out of the keyring."),
    "custodian": ("frankpledge.cli.custodian", "Keep the key of a scheme in which no member alone can encode."),
    "evaluate": ("frankpledge.evaluate", "Measure the linkage on a file whose true links are known."),
}
"""Name -> the module that has it as `command`, and its line in the help."""


class ShownError(click.ClickException):
    """An error as people see it: what, then what to do; exit code 2."""

    exit_code = 2

    def __init__(self, error: KitError) -> None:
        super().__init__(error.what)
        self.remedy = error.remedy

    def show(self, file: Any = None) -> None:
        """Write both sentences to standard error."""
        click.echo(f"Error: {self.message}\n{self.remedy}", file=file or sys.stderr)


class LazyGroup(click.Group):
    """A group whose commands are imported on use, and whose errors never show a trace back or a value."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in the order of work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 - a promise between our own modules
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an unforeseen error is named by kind and place only, as its text could hold personal data."""
        try:
            return super().invoke(ctx)
        except KitError as error:
            raise ShownError(error) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as error:
            what = f"The system refused: {error.strerror or type(error).__name__}."
            raise ShownError(KitError(what, "Check free space and permissions, then run it again.")) from None
        except Exception as error:  # noqa: BLE001 - shown by kind and place; its text could hold personal data
            raise ShownError(_unforeseen(error)) from None


def _unforeseen(error: Exception) -> KitError:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
    return KitError(
        f"Something went wrong that was not foreseen ({type(error).__name__} in {place}).",
        "Please report this line; it holds no data of yours.",
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - keeps --help quick

    try:
        return version("frankpledge")
    except PackageNotFoundError:
        return "not installed"


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"frankpledge {_version()}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def main() -> None:
    """Share fraud records with other insurers without showing them.

    Records are standardised and encoded on this machine; the pool receives keys only.
    Settings come from a profile in a TOML file, credentials from the environment or the keyring.
    """
