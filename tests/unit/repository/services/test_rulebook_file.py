"""Rulebook files: what is read, and what is said of an entry that is not as it should be."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from matching.types import Band
from repository.domain.rulebook import Level, SubscriberClass
from repository.services import rulebook_file
from repository.services.rulebook_file import RulebookFileError, read, read_stored
from tests.support.rulebooks import changed_text

TEXT = rulebook_file.default_text()


def faults(text: str) -> dict[str, str]:
    """What is wrong with a text, by entry."""
    with pytest.raises(RulebookFileError) as caught:
        read(text)
    assert len(dict(caught.value.errors)) == len(caught.value.errors)
    return dict(caught.value.errors)


def changed(table: str, **entries: Any) -> str:
    """The shipped text with other entries of one table."""
    return changed_text(TEXT, {table: entries})


def without(entry: str) -> str:
    """The shipped text without an entry."""
    raw = tomllib.loads(TEXT)
    table, _, name = entry.rpartition(".")
    below = raw
    for part in table.split(".") if table else ():
        below = below[part]
    del below[name]
    return changed_text("", {"": raw | {"version": "x"}})


def test_the_shipped_file_is_read() -> None:
    """The shipped file is a rulebook, with its entries where the domain looks for them and its own SHA-256."""
    rulebook = rulebook_file.default()
    assert rulebook.digest == hashlib.sha256(TEXT.encode()).hexdigest()
    assert rulebook.tiers[Level.CUSTOMERS]["claim"] == 2
    assert rulebook.standing.duty_band is Band.STRONG
    assert rulebook.subscribers[SubscriberClass.AUDITOR].purposes == ("audit",)
    assert rulebook.disclosure.age_bands[0] == (182, "0-6m")
    assert rulebook.filing.future_days == {"customer": 366}


def test_closed_purposes_are_read() -> None:
    """A closed purpose has line, class and purpose."""
    (closed,) = read(
        changed("purposes", closed=[{"line": "health", "class": "claim", "purpose": "new_business"}])
    ).purposes.closed
    assert (closed.line, closed.record_class, closed.purpose) == ("health", "claim", "new_business")


PERIOD = 'a number of months or days in quotes, at most "12 months"'


@pytest.mark.parametrize(
    ("table", "entries", "expected"),
    [
        ("ladder", {"plan": "30"}, {"ladder.plan": "a whole number from 1 to 3650"}),
        ("ladder", {"plan": 30.5}, {"ladder.plan": "a whole number from 1 to 3650"}),
        ("ladder", {"plan": True}, {"ladder.plan": "a whole number from 1 to 3650"}),
        ("ladder", {"plan": 0}, {"ladder.plan": "a whole number from 1 to 3650"}),
        ("ladder", {"plan": 6}, {"ladder": "warned, plan, restricted and suspended in rising order"}),
        ("standing", {"tolerance": "2"}, {"standing.tolerance": "a number from 0 to 10"}),
        ("standing", {"accuracy_target": 1.01}, {"standing.accuracy_target": "a number from 0.01 to 1"}),
        ("standing", {"duty_band": "huge"}, {"standing.duty_band": "one of possible, probable, strong"}),
        ("level", {"highest": 4}, {"level.highest": "a whole number from 0 to 3"}),
        ("tiers.claims", {"claim": 1}, {"tiers.claims.claim": "at least the 2 of tiers.customers.claim"}),
        (
            "",
            {"version": "a b"},
            {"version": "1 to 40 letters, digits, dots, hyphens or underscores, such as 2027.1"},
        ),
        (
            "calendar",
            {"zone": "Europe/Atlantis"},
            {"calendar.zone": "a zone of the IANA time zone database, such as Europe/London"},
        ),
        (
            "calendar",
            {"zone": "Europe"},
            {"calendar.zone": "a zone of the IANA time zone database, such as Europe/London"},
        ),
        ("calendar", {"holidays": ["2027-02-29"]}, {"calendar.holidays[0]": "a date in quotes, such as 2027-12-25"}),
        ("calendar", {"holidays": ["Easter"]}, {"calendar.holidays[0]": "a date in quotes, such as 2027-12-25"}),
        ("", {"title": ""}, {"title": "a text of 1 to 200 characters"}),
        ("", {"window": 90}, {"window": "a table"}),
        ("window", {"dayz": 3}, {"window.dayz": "no such entry; is days meant?"}),
        ("window", {"quux": 3}, {"window.quux": "no such entry"}),
        ("purposes", {"closed": ["motor"]}, {"purposes.closed[0]": "a table"}),
        ("proof", {"case_types": ["insider", "insider"]}, {"proof.case_types": "each entry once"}),
        ("proof", {"case_types": []}, {"proof.case_types": "a list of 1 to 200 words"}),
        ("proof", {"case_types": ["A b"]}, {"proof.case_types[0]": "a word in lower case, such as claim_fraud"}),
        (
            "disclosure",
            {"oldest_age_band": "0-6m"},
            {"disclosure.age_bands": "a label of its own for each band, the oldest included"},
        ),
        ("retention.quote", {"keep": "13 months"}, {"retention.quote.keep": PERIOD}),
        ("retention.quote", {"keep": "366 days"}, {"retention.quote.keep": PERIOD}),
        ("retention.quote", {"keep": 90}, {"retention.quote.keep": PERIOD}),
        ("retention.quote", {"keep": "2 weeks"}, {"retention.quote.keep": PERIOD}),
        ("retention.quote", {"cap": "60 days"}, {"retention.quote.keep": "keep no longer than cap"}),
        ("retention.claim", {"basis": "first_filing"}, {"retention.claim.basis": "one of closure, notification"}),
        ("filing", {"future_days": {"claims": 3}}, {"filing.future_days.claims": "no such entry; is claim meant?"}),
    ],
)
def test_an_error_names_the_entry_and_what_was_expected(
    table: str, entries: Mapping[str, Any], expected: dict[str, str]
) -> None:
    """Each entry at fault is named by its path, with what is expected there, and nothing else is."""
    assert faults(changed(table, **entries)) == expected


@pytest.mark.parametrize(("days", "sealed", "least"), [(5, 30, 31), (100, 30, 143)])
def test_requests_are_kept_until_they_are_due(days: int, sealed: int, least: int) -> None:
    """And their answers for as long as they may be fetched: a request is kept for longer than either."""
    tables: dict[str, dict[str, Any]] = {"standing": {"request_working_days": days}, "calendar": {"holidays": []}}
    exchange: dict[str, Any] = {"sealed_days": sealed, "keep_days": least}
    assert read(changed_text(TEXT, tables | {"exchange": exchange})).exchange.keep_days == least
    found = faults(changed_text(TEXT, tables | {"exchange": exchange | {"keep_days": least - 1}}))
    assert found == {"exchange": f"keep_days above sealed_days and the days to answer in, here {least} or more"}


def test_a_missing_entry_is_named_with_what_it_should_be() -> None:
    """Entries, and whole tables, that are missing."""
    assert faults(without("ladder.plan")) == {"ladder.plan": "missing; expected a whole number from 1 to 3650"}
    assert faults(without("subscribers.trial")) == {"subscribers.trial": "missing; expected a table"}


def test_several_errors_come_at_once() -> None:
    """All entries at fault are told together."""
    text = changed_text(TEXT, {"ladder": {"plan": "x"}, "window": {"days": 0}, "quota": {"extra": 1}})
    assert set(faults(text)) == {"ladder.plan", "window.days", "quota.extra"}


def test_entries_of_lists_are_numbered() -> None:
    """What is wrong within a list says at which place, from 0."""
    closed = [{"line": "motor", "class": "claim", "purpose": "audit"}, {"line": "boat", "class": "claim"}]
    found = faults(changed("purposes", closed=closed))
    assert found == {
        "purposes.closed[1].line": "one of motor, home, travel, liability, commercial, life, health, pet",
        "purposes.closed[1].purpose": "missing; expected one of new_business, claim_validation, investigation,"
        " subject_access, law_enforcement, audit",
    }


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("a = 1\nb =\n", "(line 2, column 4)"),
        ("a = 1\na = 2\n", "(line 2, column 6)"),
        ("[a", "(end of document)"),
        (f"a = {'9' * 5000}", "(file)"),
        ("a = " + "[" * 50_000, "(file)"),
        ("# " + "x" * rulebook_file.MAX_BYTES, "(file)"),
        ("a = '\ud800'", "(file)"),
    ],
)
def test_what_is_not_toml_says_where(text: str, entry: str) -> None:
    """Bad TOML is told with its line; what no reader could take is refused as a whole."""
    assert list(faults(text)) == [entry]


def test_bytes_that_are_not_utf_8_say_in_which_line() -> None:
    """A file in another encoding."""
    with pytest.raises(RulebookFileError) as caught:
        rulebook_file.read_bytes(b'a = 1\nb = "\xe4"\n')
    assert caught.value.errors == [("(line 2)", "text in UTF-8")]


def test_the_digest_is_that_of_the_bytes() -> None:
    """Line ends are kept as they are: sha256sum of the file gives the digest."""
    content = TEXT.replace("\n", "\r\n").encode()
    assert read(rulebook_file.read_bytes(content)).digest == hashlib.sha256(content).hexdigest()


def test_a_stored_file_of_another_version_is_read() -> None:
    """An entry this version has and the file lacks is the shipped one; one it does not know is left out."""
    raw = tomllib.loads(TEXT)
    raw["ladder"]["plan"] = 29
    raw["ladder"]["gone"] = 1
    del raw["ladder"]["restricted_tier"], raw["matching"]
    text = changed_text("", {"": raw | {"version": "2020.1"}})
    assert len(faults(text)) == 3
    rulebook, entries = read_stored(text)
    assert (rulebook.version, rulebook.digest) == ("2020.1", rulebook_file.digest(text))
    assert (rulebook.ladder.plan, rulebook.ladder.restricted_tier) == (29, 1)
    assert rulebook.matching == rulebook_file.default().matching
    assert entries["ladder"] == {"warned": 7, "plan": 29, "restricted": 60, "suspended": 90, "restricted_tier": 1}


def test_a_stored_file_is_not_mended_beyond_that() -> None:
    """A value that is wrong stays wrong."""
    with pytest.raises(RulebookFileError):
        read_stored(changed("ladder", plan="x"))
