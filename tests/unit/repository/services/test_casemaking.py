"""Which hits make one case."""

from __future__ import annotations

from repository.services.casemaking import clusters, told_of
from repository.storage.casework import Filed
from repository.storage.hit_views import Loose


def groups(loose: list[Loose], known: list[Filed] | None = None) -> list[tuple[list[str], set[str]]]:
    """The groups, sorted."""
    return sorted((sorted(hits), cases) for hits, cases in clusters(loose, known or []))


def hit(name: str, own: str, their: str, *, counted: bool = True) -> Loose:
    """A hit between two subjects."""
    return Loose(name, (own, 0), (their, 0), counted)


def test_one_own_subject_or_one_record_makes_one_case() -> None:
    """Directly, or by way of others; what shares neither has a case of its own."""
    loose = [hit("h1", "a", "x"), hit("h2", "a", "y"), hit("h3", "b", "y"), hit("h4", "c", "z")]
    assert groups(loose) == [(["h1", "h2", "h3"], set()), (["h4"], set())]
    assert groups([Loose("h1", ("a", 0), ("x", 0), True), Loose("h2", ("a", 1), ("y", 0), True)]) == [
        (["h1"], set()),
        (["h2"], set()),
    ]


def test_a_record_whose_class_is_not_seen_joins_nothing() -> None:
    """Two own subjects that hit one record at tier 1 stay two cases: one would tell that it is the same record."""
    loose = [hit("h1", "a", "x", counted=False), hit("h2", "b", "x", counted=False)]
    assert groups(loose) == [(["h1"], set()), (["h2"], set())]
    known = [Filed("cas_1", ("c", 0), ("x", 0))]
    assert groups(loose, known) == [(["h1"], set()), (["h2"], set())]


def test_cases_that_are_there_are_found() -> None:
    """By either side; a hit that joins two cases has both."""
    known = [Filed("cas_1", ("a", 0), ("x", 0)), Filed("cas_2", ("b", 0), ("y", 0))]
    assert groups([hit("h1", "a", "z")], known[:1]) == [(["h1"], {"cas_1"})]
    assert groups([hit("h1", "c", "x")], known[:1]) == [(["h1"], {"cas_1"})]
    assert groups([hit("h1", "a", "y")], known) == [(["h1"], {"cas_1", "cas_2"})]


def test_what_a_case_grows_by_is_told_of_those_whose_class_is_seen() -> None:
    """How many others there are is told to nobody, by a move no more than by a list."""
    loose = [hit("h1", "a", "x"), hit("h2", "a", "y", counted=False), hit("h3", "a", "z", counted=False)]
    assert told_of(loose, ["h1", "h2", "h3"]) == 1
    assert told_of(loose, ["h2"]) == 0
