"""The generated market: what it draws, and what stays as it was for those who ask for the plain one."""

from __future__ import annotations

from collections import defaultdict

from benchmarks.market import COLUMNS, HARD, Habits, Market, Tagged
from benchmarks.spellings import ROMANISED


def test_the_plain_market_has_no_hard_cases() -> None:
    """Without habits the rows are those of one without the tags, none is disguised, and all columns are the kit's."""
    tagged = list(Market(4).tagged(60))
    assert [each.raw for each in tagged] == list(Market(4).rows(60))
    assert not any(each.disguised or each.origin == ROMANISED for each in tagged)
    assert all(set(each.raw) == set(COLUMNS) for each in tagged)


def test_disguised_records_are_drawn_at_their_share_and_have_another_telephone() -> None:
    """About as many further records are disguised as asked for; the first record of a person never is."""
    people: dict[str, list[Tagged]] = defaultdict(list)
    for each in Market(4, dict[str, float](), Habits(disguised=0.5)).tagged(200):
        people[each.raw["cluster"]].append(each)
    assert not any(records[0].disguised for records in people.values())
    disguised = [records for records in people.values() if records[1].disguised]
    assert 0.4 < len(disguised) / len(people) < 0.6
    assert all(own.raw["phone"] != other.raw["phone"] for own, other in disguised)


def test_the_hard_market_is_drawn_from_its_seed() -> None:
    """One seed gives the same records again; names from Arabic letters and respelt ones are among them."""
    once = list(Market(7, habits=HARD).tagged(150))
    assert once == list(Market(7, habits=HARD).tagged(150))
    assert any(each.origin == ROMANISED for each in once)
    assert once != list(Market(8, habits=HARD).tagged(150))
