"""The facts of a filing."""

from __future__ import annotations

import pytest

from frankpledge.facts import Defaults, Facts, merge, parse_day, read_cells, word
from frankpledge.rejects import Reject

CLAIM = {
    "ref": "C-1",
    "class": "claim",
    "line": "motor",
    "incident_date": "2026-02-27",
    "notification_date": "2026-03-01",
    "claim_kind": "collision",
    "claim_status": "open",
}


@pytest.mark.parametrize("text", ["third_party", "Third Party", " third-party ", "THIRD  PARTY"])
def test_words_are_read_however_they_are_spelt(text: str) -> None:
    """Case, spaces and hyphens do not matter in vocabulary."""
    assert word(text) == "third_party"


def test_good_cells_become_facts() -> None:
    """Words and dates are brought into the form of the encoded filing; empty cells are absent."""
    cells = {"ref": "P 1", "class": "Customer", "line": "MOTOR", "date": "2026-03-01", "claim_kind": ""}
    assert read_cells(1, cells, None) == (
        {"ref": "P 1", "class": "customer", "line": "motor", "date": "2026-03-01"},
        [],
    )
    assert read_cells(1, {"ref": "1", "amount_band": " 1K - 5K "}, None)[0]["amount_band"] == "1k-5k"


@pytest.mark.parametrize(
    ("row", "basis", "reject"),
    [
        ({"class": "customer", "customer_kind": "Quote"}, {"customer_kind": "quote"}, None),
        ({"class": "customer", "policy_end": "2060-02-29"}, {"policy_end": "2060-02-29"}, None),
        ({"class": "proven", "decided_on": "2026-01-05"}, {"decided_on": "2026-01-05"}, None),
        (CLAIM | {"claim_status": "closed", "closed_on": "2026-04-01"}, {"closed_on": "2026-04-01"}, None),
        ({"class": "victim"}, None, None),
        ({"class": "customer", "customer_kind": "lead"}, None, ("customer_kind", "expected one of quote, policy")),
        ({"class": "victim", "policy_end": "2026-01-05"}, None, ("policy_end", "belongs to a customer only")),
        (
            {"class": "claim", **CLAIM, "decided_on": "2026-04-01"},
            None,
            ("decided_on", "belongs to a proven case only"),
        ),
        (
            {"class": "customer", "customer_kind": "quote", "policy_end": "2026-01-05"},
            None,
            ("policy_end", "belongs to a policy, and the row is a quote"),
        ),
        (CLAIM | {"closed_on": "2026-04-01"}, None, ("closed_on", "belongs to a claim that is not open")),
        (
            CLAIM | {"claim_status": "closed", "closed_on": "2026-02-28"},
            None,
            ("closed_on", "expected a date not before notification_date"),
        ),
    ],
)
def test_rows_may_say_from_when_they_are_kept(
    row: dict[str, str], basis: dict[str, str] | None, reject: tuple[str, str] | None
) -> None:
    """Each column belongs to one class, and what contradicts another column is refused before anything is sent."""
    cells, faults = read_cells(1, {"ref": "P-1", "line": "motor", "date": "2026-03-01"} | row, None)
    facts, rejects = merge([(1, cells)], Defaults())
    assert [(each.field, each.reason) for each in faults or rejects] == ([] if reject is None else [reject])
    assert reject is not None or (facts is not None and facts.basis == basis)


@pytest.mark.parametrize(
    ("column", "value", "label"),
    [
        ("tlp", "TLP:AMBER+STRICT", "amber_strict"),
        ("tlp", "tlp: Red", "red"),
        ("tlp", "Clear", "clear"),
        ("source_grade", "Not reliable", "not_reliable"),
        ("information_grade", "b", "B"),
        ("handling_code", "p", "P"),
    ],
)
def test_labels_are_read_however_they_are_spelt(column: str, value: str, label: str) -> None:
    """As markings are written on paper, and as the encoded filing has them."""
    facts, rejects = read_cells(1, {"ref": "P-1", column: value}, None)
    assert (facts[column], rejects) == (label, [])


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("tlp", "white", "one of clear, green, amber, amber_strict, red"),
        ("source_grade", "B2", "one of reliable"),
        ("information_grade", "F", "one of A, B"),
        ("handling_code", "X9", "one of P, C"),
        ("ref", "", "1 to 64 printable ASCII"),
        ("ref", "x" * 65, "1 to 64 printable ASCII"),
        ("ref", "a\tb", "1 to 64 printable ASCII"),
        ("ref", "é", "1 to 64 printable ASCII"),
        ("class", "clients", "one of customer, claim"),
        ("line", "marine", "one of motor"),
        ("claim_kind", "alien", "one of theft"),
        ("amount_band", "4999", "one of 0-1k"),
        ("claim_status", "unknown", "one of open"),
        ("date", "01/03/2026", "a date as YYYY-MM-DD"),
        ("incident_date", "2026-02-30", "a date as YYYY-MM-DD"),
        ("notification_date", "1066-10-14", "1900 to 2100"),
    ],
)
def test_bad_cells_are_rejected_without_their_value(column: str, value: str, expected: str) -> None:
    """Each field says what was expected of it."""
    facts, [reject] = read_cells(7, {"ref": "P-1", column: value}, None)
    assert reject.row == 7
    assert reject.field == column
    assert expected in reject.reason
    assert not value or value not in reject.reason
    assert facts["ref"] == (value if column == "ref" else "P-1")


@pytest.mark.parametrize(
    ("text", "date_format", "day"),
    [
        ("2026-03-01", None, "2026-03-01"),
        ("2026-03-01T10:30:00", None, "2026-03-01"),
        ("20260301", None, "2026-03-01"),
        ("01/03/2026", "%d/%m/%Y", "2026-03-01"),
        ("2026-03-01", "%d/%m/%Y", None),
        ("tomorrow", None, None),
        ("", None, None),
    ],
)
def test_days(text: str, date_format: str | None, day: str | None) -> None:
    """ISO 8601 is read as it is; another order only when it is named."""
    assert parse_day(text, date_format) == day


def test_defaults_fill_what_rows_leave_open() -> None:
    """--class, --line and --date hold where a row says nothing, and only there."""
    defaults = Defaults(record_class="customer", line="home", date="2026-01-01")
    facts, rejects = merge([(1, {"ref": "P-1", "line": "motor"})], defaults)
    assert facts == Facts("P-1", "customer", "motor", "2026-01-01", None)
    assert rejects == []


def test_what_is_missing_is_named() -> None:
    """Without class, line and date there is no filing."""
    facts, rejects = merge([(3, {"ref": "P-1"})], Defaults())
    assert facts is None
    assert rejects == [Reject(3, column, "is missing") for column in ("class", "line", "date")]


def test_a_claim_has_its_facts_under_the_names_of_the_filing() -> None:
    """claim_kind becomes kind, claim_status becomes status; the day of notification is the trigger date."""
    facts, _ = merge([(1, CLAIM)], Defaults())
    assert facts is not None
    assert facts.date == "2026-03-01"
    assert facts.claim == {
        "incident_date": "2026-02-27",
        "notification_date": "2026-03-01",
        "kind": "collision",
        "status": "open",
    }


def test_the_trigger_date_stands_for_the_day_of_notification() -> None:
    """An extract with only one of the two dates is complete."""
    claim = {name: value for name, value in CLAIM.items() if name != "notification_date"}
    facts, _ = merge([(1, {**claim, "date": "2026-03-02"})], Defaults())
    assert facts is not None
    assert facts.claim is not None
    assert facts.claim["notification_date"] == "2026-03-02"


def test_an_incomplete_claim_is_rejected() -> None:
    """Incident, kind and status are needed."""
    _, rejects = merge([(1, {"ref": "C", "class": "claim", "line": "motor", "date": "2026-03-01"})], Defaults())
    assert {reject.field for reject in rejects} == {"incident_date", "claim_kind", "claim_status"}


def test_a_claim_cannot_be_notified_before_it_happened() -> None:
    """Dates in the wrong order are rejected."""
    _, rejects = merge([(1, {**CLAIM, "notification_date": "2026-02-01"})], Defaults())
    assert [reject.field for reject in rejects] == ["notification_date"]


def test_claim_facts_belong_to_claims() -> None:
    """A customer with claim columns is a mistake in the extract."""
    _, rejects = merge([(1, {**CLAIM, "class": "customer", "date": "2026-03-01"})], Defaults())
    assert rejects[0] == Reject(1, "incident_date", "belongs to a claim only")


def test_rows_of_one_filing_must_agree() -> None:
    """A later row may leave a fact out, but not contradict an earlier one."""
    facts, rejects = merge([(1, CLAIM), (2, {"ref": "C-1"})], Defaults())
    assert facts is not None
    assert rejects == []
    _, rejects = merge([(1, CLAIM), (2, {"ref": "C-1", "line": "home"})], Defaults())
    assert rejects == [Reject(2, "line", "differs from an earlier row of the same ref")]
