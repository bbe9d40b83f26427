"""Passwords from where no other user of the machine sees them: never from the command line, which `ps` shows."""

from __future__ import annotations

import os
from typing import IO

import click

password_file = click.option(
    "--password-file",
    type=click.File("r", encoding="utf-8"),
    help="A file whose first line is the password; - for standard input.",
)


def given(variable: str, file: IO[str] | None) -> str | None:
    """The password in the file, else in the environment variable; None where neither was given."""
    if file is not None:
        return file.readline().rstrip("\r\n")
    return os.environ.get(variable) or None


def ask(whose: str) -> str:
    """The password, asked for twice without showing it."""
    prompted: str = click.prompt(f"Password for {whose}", hide_input=True, confirmation_prompt=True)
    return prompted
