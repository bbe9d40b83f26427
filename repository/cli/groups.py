"""Groups of commands that are imported when they are used, so that a command loads little more than it needs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

ENVIRONMENT = "frankpledge.environment"
"""Where the first group keeps the environment that it read the settings from."""

Named = Mapping[str, tuple[str, str]]
"""A command's name -> where it is, as module:attribute, and its line in the help."""


class LazyGroup(click.Group):
    """A group of which some commands are only named; they are listed in the order they are named in, after the rest."""

    def __init__(self, *arguments: Any, named: Named, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._named = named

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List all commands."""
        return [*super().list_commands(ctx), *self._named]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, and import it if need be."""
        if cmd_name not in self._named:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._named[cmd_name][0].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)  # noqa: S101 - a promise between our own modules
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List all commands with their lines, and import none for it."""
        rest = [(name, self.commands[name]) for name in super().list_commands(ctx)]
        lines = [(name, each.get_short_help_str(formatter.width)) for name, each in rest if not each.hidden]
        with formatter.section("Commands"):
            formatter.write_dl([*lines, *((name, line) for name, (_, line) in self._named.items())])


class FriendlyGroup(LazyGroup):
    """A group whose commands end with a sentence and exit code 1 where something expected went wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that an operator can mend become a click error."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, ImportError):
            raise
        except Exception as error:
            from repository.cli.faults import sentence  # noqa: PLC0415 - knows every error, and so imports everything

            told = sentence(error)
            if told is None:
                raise
            raise click.ClickException(told) from None
