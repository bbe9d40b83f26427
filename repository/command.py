"""The entry point of `frankpledge-admin`: says what is missing where only the member's kit was installed."""

from __future__ import annotations

import os
import sys

from repository.sharing import share_if_wanted

SERVER_PACKAGES = frozenset({"sqlalchemy", "flask", "alembic", "flask_smorest", "flask_jwt_extended", "structlog"})


def main() -> None:
    """Run the command; exit code 1 with a sentence where the packages of the server are not installed."""
    share_if_wanted(sys.argv[1:], os.environ)
    from repository.cli import main as run  # noqa: PLC0415 - after what has to be set before anything is imported

    try:
        run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in SERVER_PACKAGES:
            raise
        sys.exit("frankpledge-admin needs the packages of the server: pip install '.[server]'")
