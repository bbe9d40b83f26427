"""What every reader gives: headings, and rows as they come, with the bad ones named instead of lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from frankpledge.rejects import Reject


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stands in the file: its number (the first is 1) and its cells by heading.

    `claim`, `subjects`, `labels` and `basis` are there for a nested record only.
    """

    number: int
    cells: Mapping[str, str]
    claim: Mapping[str, str] | None = None
    subjects: tuple[Mapping[str, str], ...] | None = None
    labels: Mapping[str, str] | None = None
    basis: Mapping[str, str] | None = None


class Source(Protocol):
    """An open input. `total` and `position` are in the same unit (bytes or rows) and serve progress only."""

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings of the input, in order."""

    @property
    def total(self) -> int | None:
        """The size of the whole input; None when it cannot be known."""

    @property
    def position(self) -> int:
        """How far reading has come."""

    def rows(self) -> Iterator[Row | Reject]:
        """Read all records once, in order, holding no more than a small block in memory."""

    def close(self) -> None:
        """Close the input."""
