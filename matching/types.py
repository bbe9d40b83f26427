"""The nouns every part of the linkage shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

KEY_BYTES = 16
"""Length of one key: one AES block."""

Kind = Literal["person", "vehicle", "organisation"]
KINDS: tuple[Kind, ...] = ("person", "vehicle", "organisation")


class Band(IntEnum):
    """How far the evidence reaches, in words; ordered."""

    NONE = 0
    POSSIBLE = 1
    PROBABLE = 2
    STRONG = 3

    @property
    def label(self) -> str:
        """The word shown to people and written to JSON: none, possible, probable or strong."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class EncodedSubject:
    """One person, vehicle or organisation as the pool sees it: keys, anchored sketches and a few facts.

    `mask` has bit i set where key i of the schema's key list for this kind is present; `keys` holds 16 bytes for
    each set bit, lowest bit first. `observed` has bit i set where sketch field i had a value; `sketches` holds one
    block of the schema's block size for each present anchor key, in key order. `facts` are small integers, such as
    the rarity class of a name. `name` is the trading name of an organisation, which may be filed in clear.
    """

    kind: Kind
    role: str
    mask: int
    keys: bytes
    observed: int = 0
    sketches: bytes = b""
    facts: Mapping[str, int] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """One line of an explanation: what was compared, the level reached, and its match weight in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Match:
    """A scored pair. `position` indexes the candidates given; `weight` is in bits and is the sum of `rows`."""

    position: int
    weight: float
    probability: float
    band: Band
    rows: tuple[ExplanationRow, ...]
