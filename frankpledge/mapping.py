"""From an insurer's headings to the kit's columns: equal names by themselves, all else only when the user says so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from frankpledge.columns import ALIASES, CANONICAL, JOINABLE
from frankpledge.errors import KitError

MIN_LIKENESS = 80.0
"""Below this rapidfuzz score (0 to 100) no column is proposed for a heading."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A heading that is not known, and the column it may mean; none means that it is best left out."""

    heading: str
    column: str | None

    @property
    def option(self) -> str:
        """The option to paste into the command line."""
        heading = re.sub(r'(["\\$`])', r"\\\1", self.heading)
        return f'--map "{heading}={self.column or ""}"'


class NoHeadingsError(KitError):
    """The first line does not look like headings. It may be a person's data, so it is not shown."""

    def __init__(self) -> None:
        super().__init__(
            "The first line does not look like headings: none is known, and some look like data.",
            "Put a line of headings on top (ref, given_name, family_name, ...); the guide lists them.",
        )


class UnknownHeadingsError(KitError):
    """Some headings are not known. `proposals` has one entry for each."""

    def __init__(self, proposals: Sequence[Proposal]) -> None:
        count = len(proposals)
        super().__init__(
            f"{count} heading{'s are' if count > 1 else ' is'} not known: "
            + ", ".join(repr(proposal.heading) for proposal in proposals)
            + ".",
            "Check and add these options (nothing after = leaves a column out), or --ignore-unknown:\n  "
            + " ".join(proposal.option for proposal in proposals),
        )
        self.proposals = tuple(proposals)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Heading -> column, in the order of the file; a heading mapped to "" is left out."""

    columns: Mapping[str, str]

    def apply(self, cells: Mapping[str, str]) -> dict[str, str]:
        """Rename the cells of a row to columns; empty cells go, and joined columns are joined by a space."""
        row: dict[str, str] = {}
        for heading, value in cells.items():
            column = self.columns.get(heading)
            if column and value:
                row[column] = f"{row[column]} {value}" if column in row else value
        return row


def parse_option(option: str) -> tuple[str, str]:
    """Split one `--map` option, "Heading=column", at its last '='. Raises KitError when it has none."""
    heading, equals, column = option.rpartition("=")
    if not equals or not heading:
        raise KitError("A --map option has no '='.", 'Write it as --map "Surname=family_name".')
    return heading.strip(), _known(column.strip())


def plan(
    headings: Sequence[str],
    options: Mapping[str, str],
    *,
    usual: Mapping[str, str] | None = None,
    ignore_unknown: bool = False,
) -> ColumnMap:
    """Decide what each heading means.

    `options` are the user's for this run and must all name a heading that is there; `usual` are the profile's, and
    need not. Raises UnknownHeadingsError with proposals, NoHeadingsError when the first line seems to be data, or
    KitError when two headings claim one column.
    """
    _refuse_duplicates(headings)
    missing = [heading for heading in options if heading not in headings]
    if missing:
        raise KitError(
            f"The file has no heading {missing[0]!r} to map.", "Its headings are: " + ", ".join(headings) + "."
        )
    chosen = {heading: _known(column) for heading, column in (usual or {}).items() if heading in headings}
    chosen.update(options)
    exact = {loose(column): column for column in CANONICAL}
    columns = {heading: chosen.get(heading, exact.get(loose(heading))) for heading in headings}
    unknown = [heading for heading, column in columns.items() if column is None]
    if unknown and not ignore_unknown:
        taken = {column for column in columns.values() if column}
        if not taken and any(_looks_like_data(heading) for heading in headings):
            raise NoHeadingsError
        raise UnknownHeadingsError(propose(unknown, taken))
    settled = {heading: column or "" for heading, column in columns.items()}
    _refuse_collisions(settled)
    return ColumnMap(settled)


def propose(headings: Iterable[str], taken: Iterable[str] = ()) -> list[Proposal]:
    """Propose a column for each heading by likeness to the columns' names and aliases; each column at most once."""
    used = set(taken)
    proposals = []
    for heading in headings:
        free = (column for column in _likely(heading) if column in JOINABLE or column not in used)
        column = next(free, None)
        if column:
            used.add(column)
        proposals.append(Proposal(heading, column))
    return proposals


def _likely(heading: str) -> list[str]:
    """List the columns that a heading may mean, likeliest first: word by word, or with all but letters squeezed out."""
    from rapidfuzz import fuzz, utils  # noqa: PLC0415 - only when a heading is unknown

    def likeness(name: str) -> float:
        words = fuzz.token_sort_ratio(heading.replace("_", " "), name, processor=utils.default_process)
        return max(words, fuzz.ratio(_squeezed(heading), _squeezed(name)))

    best = {column: max(map(likeness, (column.replace("_", " "), *ALIASES[column]))) for column in CANONICAL}
    return sorted((column for column in best if best[column] >= MIN_LIKENESS), key=lambda column: -best[column])


def _looks_like_data(heading: str) -> bool:
    """Whether a heading is rather a value: it has a digit or an @, or nothing in it at all."""
    return not heading.strip() or any(character.isdigit() or character == "@" for character in heading)


def _known(column: str) -> str:
    if column in ("", *CANONICAL):
        return column
    from rapidfuzz import process  # noqa: PLC0415 - only when a column is unknown

    near = [name for name, _, _ in process.extract(column, CANONICAL, limit=3)]
    raise KitError(f"There is no column {column!r} to map to.", "Did you mean " + ", ".join(near) + "?")


def loose(heading: str) -> str:
    """Write a heading without case, spaces, underscores and hyphens."""
    return re.sub(r"[\s_\-]+", "", heading).casefold()


def _squeezed(heading: str) -> str:
    return "".join(char for char in heading.casefold() if char.isalnum())


def _refuse_duplicates(headings: Sequence[str]) -> None:
    twice = [heading for heading, count in Counter(headings).items() if count > 1]
    if twice:
        raise KitError(f"The heading {twice[0]!r} is there twice.", "Give each column a heading of its own.")


def _refuse_collisions(columns: Mapping[str, str]) -> None:
    for column, count in Counter(columns.values()).items():
        if count > 1 and column and column not in JOINABLE:
            both = [heading for heading, target in columns.items() if target == column]
            raise KitError(
                f"The headings {', '.join(map(repr, both))} all mean {column}.",
                f'Leave all but one out, for example with --map "{both[-1]}=".',
            )
