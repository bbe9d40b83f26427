"""Public keys of other members whose fingerprints were compared: remembered, so that another one is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from frankpledge.errors import KitError
from frankpledge.files import replacing


@dataclass(frozen=True, slots=True)
class Pin:
    """What a member was known by when its fingerprint was compared."""

    name: str
    fingerprint: str


class Pins:
    """The members of one pool whose fingerprints were compared, in a file of their own."""

    def __init__(self, path: Path, server: str) -> None:
        self._path = path
        self._server = server
        self._all = _read(path)

    def get(self, member: str) -> Pin | None:
        """What a member, by id, was known by."""
        found = self._all.get(self._server, {}).get(member)
        return None if found is None else Pin(found["name"], found["fingerprint"])

    def put(self, member: str, pin: Pin) -> None:
        """Remember what a member is known by now."""
        self._all.setdefault(self._server, {})[member] = {"name": pin.name, "fingerprint": pin.fingerprint}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(self._path) as file:
            file.write(orjson.dumps(self._all, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def _read(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    try:
        document = orjson.loads(path.read_bytes())
        if not isinstance(document, dict) or not all(map(_is_of_pool, document.values())):
            raise ValueError
    except FileNotFoundError:
        return {}
    except ValueError:
        raise KitError(
            f"{path} is damaged.", "Move it away, and compare the fingerprints of the other members again."
        ) from None
    return document


def _is_of_pool(members: object) -> bool:
    return isinstance(members, Mapping) and all(
        isinstance(each, Mapping) and {"name", "fingerprint"} <= each.keys() and all(map(_is_text, each.values()))
        for each in members.values()
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)
