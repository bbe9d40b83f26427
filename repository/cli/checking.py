"""Checking a configuration before the service is started with it."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from repository.cli import cases, members, setup
from repository.cli.context import console, print_json
from repository.cli.groups import ENVIRONMENT
from repository.cli.options import as_json_option
from repository.services import checking

PASSWORDS = (setup.PASSWORD_VARIABLE, members.PASSWORD_VARIABLE, cases.PASSWORD_VARIABLE)


@click.command("check-config")
@click.option("--host", default="127.0.0.1", show_default=True, help="What `serve` is going to be told.")
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1, 64), help="As `serve`, too.")
@as_json_option
@click.pass_context
def check_config(context: click.Context, host: str, threads: int, as_json: bool) -> None:
    """Check every setting, secret, the database and the disk; exit code 1 where the service should not be started.

    Names each variable with what is expected of it, and never shows a value.
    """
    environment: Mapping[str, str] = context.meta.get(ENVIRONMENT, os.environ)
    findings = checking.check(environment, host, threads, PASSWORDS)
    problems = [each for each in findings if each.problem]
    if as_json:
        print_json({"good": not problems, "findings": [each.as_json() for each in findings]})
    else:
        for each in findings:
            level = "[bold red]problem[/]" if each.problem else "[yellow]warning[/]"
            console().print(f"{level}  [bold]{each.setting}[/]: expected {each.expected}")
        console().print(f"{len(problems)} problems, {len(findings) - len(problems)} warnings")
    if problems:
        raise click.exceptions.Exit(1)
