"""Two rulebooks compared: entries by their path, and what differs for a member."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from repository.domain.rulebook import Rulebook
from repository.domain.standing import Membership, assess
from repository.services import rulebook_file
from repository.services.rulebook_diff import Change, changed_entries, flat
from repository.services.rulebook_effects import Under, compared
from repository.services.rulebook_words import listed, many, number, share, value
from repository.services.rulebooks import BEGINNING
from tests.support.rulebooks import DEFAULT_RULEBOOK, changed_text
from tests.support.standing import Row, day, filed, ledger, member, noon, terms

TEXT = rulebook_file.default_text()
RAW = tomllib.loads(TEXT)
WELL = 16
"""Claims a day, as many as are declared."""


def other(changes: Mapping[str, Mapping[str, Any]]) -> Rulebook:
    """The shipped rulebook with other entries."""
    return rulebook_file.read(changed_text(TEXT, changes))


def effects(new: Rulebook, rows: list[Row], membership: Membership | None = None) -> list[tuple[object, ...]]:
    """What a new rulebook changes for a member on day 100, as (line, what, old, new)."""
    who, asked = member("motor"), membership or terms()
    old, after = (
        Under(assess(who, asked, ledger(rows), [(BEGINNING, each)], {}, today=day(100)), each)
        for each in (DEFAULT_RULEBOOK, new)
    )
    return [(each.line, each.what, each.old, each.new) for each in compared(who, old, after, noon(100))]


def test_equal_rulebooks_change_nothing() -> None:
    """Another version with the same entries changes no entry, and nothing for anyone."""
    assert changed_entries(RAW, RAW | {"version": "x"}) == []
    assert effects(other({}), filed(range(100), accepted=WELL)) == []


def test_changed_entries_are_named_with_old_and_new() -> None:
    """Each entry that differs, by its path and in the order of the file; lists as a whole; what is on one side only."""
    changes: dict[str, dict[str, Any]] = {
        "ladder": {"plan": 29, "warned": 6},
        "proof": {"exceptions": []},
        "filing": {"future_days": {"claim": 2}},
    }
    new = tomllib.loads(changed_text(TEXT, changes))
    assert changed_entries(RAW, new) == [
        Change("ladder.warned", 7, 6),
        Change("ladder.plan", 30, 29),
        Change("proof.exceptions", RAW["proof"]["exceptions"], []),
        Change("filing.future_days.customer", 366, None),
        Change("filing.future_days.claim", None, 2),
    ]
    assert Change("ladder.plan", 30, 29).as_dict() == {"entry": "ladder.plan", "old": 30, "new": 29}


def test_every_entry_has_a_path() -> None:
    """The paths of a file tell each of its values, and no table."""
    paths = dict(flat(RAW))
    assert paths["tiers.claims.proven"] == 3
    assert paths["disclosure.age_bands"] == RAW["disclosure"]["age_bands"]
    assert "tiers" not in paths


def test_a_member_that_would_see_less() -> None:
    """Lower tiers for who contributes claims: the classes that change, and only those."""
    new = other({"tiers.claims": {"suspected": 2, "proven": 2}})
    assert effects(new, filed(range(100), accepted=WELL)) == [
        ("motor", "tiers", {"suspected": 3, "proven": 3}, {"suspected": 2, "proven": 2})
    ]


def test_a_member_that_would_be_suspended() -> None:
    """A ladder with short steps: another step, no right to ask, nothing seen."""
    new = other({"ladder": {"warned": 1, "plan": 2, "restricted": 3, "suspended": 4}})
    found = effects(new, filed(range(60), accepted=WELL))
    by_what: dict[object, Any] = {what: (old, after) for _, what, old, after in found}
    assert all(line == "motor" for line, *_ in found)
    assert by_what["step"] == ("plan", "suspended")
    assert by_what["asks"] == ("yes", "R6")
    assert set(by_what["tiers"][1].values()) == {0}


def test_quotas_are_of_the_member() -> None:
    """The day's quota belongs to no line."""
    new = other({"quota": {"per_accepted": 1.0, "floor_per_day": 10}})
    (quota,) = effects(new, filed(range(100), accepted=WELL))
    assert quota[:2] == (None, "quota")
    assert quota[2] == 5 * int(str(quota[3]))


def test_a_higher_floor_refuses() -> None:
    """Who filed too little for the new floor may no longer ask, by R2."""
    new = other({"window": {"accepted_to_ask": 100_000}})
    assert effects(new, filed(range(100), accepted=WELL)) == [("motor", "asks", "yes", "R2")]


def test_values_are_written_for_people() -> None:
    """Numbers with their thousands apart, lists with commas, tables by name."""
    assert [number(each) for each in (1234567, 0.25, 2.0, 1182.75)] == ["1,234,567", "0.25", "2", "1,182.75"]
    assert [share(each) for each in (0.95, 1.0, 0.125)] == ["95 %", "100 %", "12.5 %"]
    assert [many(1, "day"), many(2, "day"), many(1000, "query", "queries")] == ["1 day", "2 days", "1,000 queries"]
    assert [listed([]), listed(["a_b"]), listed(["a", "b", "c"])] == ["nothing", "a b", "a, b or c"]
    assert value([{"days": 182, "label": "x"}, {"days": 1, "label": "y"}]) == "days 182, label x; days 1, label y"
    assert [value(None), value([]), value(["a", "b"]), value("a"), value(3)] == ["-", "(none)", "a, b", "a", "3"]
