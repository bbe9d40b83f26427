"""Where the processes of one installation add up what they count: set before anything imports prometheus_client.

That package decides once, when it is first imported, whether its numbers are in memory or in files. So this is called
by the entry point, and imports nothing of the service.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that prometheus_client reads."""
SETTING = "FRANKPLEDGE_METRICS_DIR"
_COUNTING = ("serve", "worker")


def share_if_wanted(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """For the commands that serve or work: `share`, where the setting names a directory."""
    wanted = environment.get(SETTING, "").strip()
    if wanted and any(command in arguments for command in _COUNTING):
        share(Path(wanted).resolve(), anew="serve" in arguments)


def share(directory: Path, *, anew: bool) -> None:
    """Have this process and those it starts keep their numbers in a directory of this machine.

    `anew`: what processes that are gone have counted is forgotten. A worker does not: it would take from the counters
    of a service that goes on, and each would look as if it began anew.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if anew:
        for path in directory.glob("*.db"):
            if not is_alive(path):
                path.unlink(missing_ok=True)
    os.environ[SHARED] = str(directory)


def process_of(path: Path) -> int:
    """The id of the process whose numbers are in a file."""
    return int(path.stem.rpartition("_")[2])


def is_alive(path: Path) -> bool:
    """Whether the process whose numbers are in a file is there still."""
    try:
        os.kill(process_of(path), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
