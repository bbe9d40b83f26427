"""What a filing says, as its digest is made of it."""

from __future__ import annotations

from datetime import date

import orjson

from repository.services.planning import Said, said_parts

DAY = date(2026, 3, 1)


def test_what_says_no_more_than_before_has_the_digest_of_before() -> None:
    """Without labels, a proof or a basis nothing is added: filings from before there were any stay unchanged."""
    plain = Said("motor", DAY, None, {}, None)
    assert said_parts(plain, ["policyholder"]) == orjson.dumps(["motor", "2026-03-01", None, ["policyholder"]])
    marked = Said("motor", DAY, None, {"tlp": "red"}, None)
    handling = {"labels": {"tlp": "red"}, "proof": None}
    assert said_parts(marked, []) == orjson.dumps(["motor", "2026-03-01", None, [], handling])


def test_what_a_filing_is_kept_from_changes_its_digest() -> None:
    """A filing that says when its policy ends is another version, and one that says another day, too."""
    said = [Said("motor", DAY, None, {}, None, basis) for basis in ({}, {"policy_end": "1"}, {"policy_end": "2"})]
    assert len({said_parts(each, []) for each in said}) == 3
