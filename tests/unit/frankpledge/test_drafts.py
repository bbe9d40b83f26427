"""Rows to filings."""

from __future__ import annotations

import orjson
import pytest

from frankpledge.drafts import MAX_ROWS, Draft, Refused, drafts
from frankpledge.facts import Defaults
from frankpledge.mapping import plan
from frankpledge.readers.base import Row
from frankpledge.readers.ndjson_rows import parse
from frankpledge.rejects import Reject

DEFAULTS = Defaults(record_class="customer", line="motor", date="2026-03-01")
CLAIM = {
    "class": "claim",
    "incident_date": "2026-02-27",
    "date": "2026-03-01",
    "claim_kind": "collision",
    "claim_status": "open",
}


def run(*rows: dict[str, str] | Reject, defaults: Defaults = DEFAULTS) -> list[Draft | Refused]:
    """Make drafts of flat rows, numbered from 1."""
    headings = list(dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row))
    numbered = [
        Row(number, {name: row.get(name, "") for name in headings}) if isinstance(row, dict) else row
        for number, row in enumerate(rows, 1)
    ]
    return list(drafts(numbered, plan(headings, {}), defaults))


def run_nested(record: dict[str, object], maps: dict[str, str] | None = None) -> Draft | Refused:
    """Make the draft of one NDJSON record."""
    row = parse(1, orjson.dumps(record))
    assert isinstance(row, Row)
    headings = list(dict.fromkeys([*row.cells, *(name for s in row.subjects or () for name in s if name != "kind")]))
    [draft] = drafts([row], plan(headings, maps or {}), DEFAULTS)
    return draft


def test_consecutive_rows_of_one_ref_are_one_filing() -> None:
    """A claim's parties in rows of their own become its subjects, in order."""
    first, second = run(
        {"ref": "C-1", "role": "driver", "family_name": "Doe", **CLAIM},
        {"ref": "C-1", "role": "passenger", "family_name": "Roe", "class": "claim"},
        {"ref": "C-2", "role": "driver", "family_name": "Poe", **CLAIM},
    )
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert [party.role for party in first.parties] == ["driver", "passenger"]
    assert (first.row, first.rows, second.row) == (1, 2, 3)


def test_one_ref_in_two_classes_is_two_filings() -> None:
    """A policy and a claim may share a reference."""
    found = run({"ref": "1", "family_name": "Doe"}, {"ref": "1", "family_name": "Doe", "role": "claimant", **CLAIM})
    assert [draft.facts.record_class for draft in found if isinstance(draft, Draft)] == ["customer", "claim"]


def test_customers_are_policyholders_unless_said_otherwise() -> None:
    """The role has a default for customers only."""
    [customer] = run({"ref": "1", "family_name": "Doe"})
    assert isinstance(customer, Draft)
    assert customer.parties[0].role == "policyholder"
    [claim] = run({"ref": "1", "family_name": "Doe", **CLAIM})
    assert claim == Refused(1, (Reject(1, "role", "is missing"),))


def test_one_bad_row_refuses_the_whole_filing_and_no_other() -> None:
    """Half of a claim would mislead; its neighbour is untouched."""
    bad, good = run(
        {"ref": "C-1", "role": "driver", "family_name": "Doe", **CLAIM},
        {"ref": "C-1", "role": "butler", "family_name": "Roe", "class": "claim"},
        {"ref": "C-2", "role": "driver", "family_name": "Poe", **CLAIM},
    )
    assert isinstance(bad, Refused)
    assert bad.rows == 2
    assert [(reject.row, reject.field) for reject in bad.rejects] == [(2, "role")]
    assert isinstance(good, Draft)


def test_rows_the_reader_refused_stay_in_order() -> None:
    """A row that could not be read is passed on between its neighbours."""
    reject = Reject(2, "(row)", "has fewer cells than the heading")
    found = run({"ref": "1", "family_name": "Doe"}, reject, {"ref": "1", "family_name": "Doe"})
    assert found[1] == Refused(1, (reject,))
    assert isinstance(found[0], Draft)
    assert isinstance(found[2], Draft)


def test_rows_without_ref_do_not_run_together() -> None:
    """A missing reference is each row's own fault."""
    found = run({"ref": "", "family_name": "Doe"}, {"ref": "", "family_name": "Roe"})
    assert [draft.rows for draft in found] == [1, 1]
    assert all(isinstance(draft, Refused) for draft in found)


@pytest.mark.parametrize("count", [51, MAX_ROWS + 1000])
def test_a_column_that_is_no_reference_is_noticed(count: int) -> None:
    """A constant in place of a reference is refused without holding the whole file."""
    [refused] = run(*({"ref": "same", "family_name": "Doe"} for _ in range(count)))
    assert isinstance(refused, Refused)
    assert refused.rows == count
    assert "more than 50 subjects" in refused.rejects[0].reason


def test_nested_records_become_filings() -> None:
    """A record with claim and subjects is a filing by itself; subjects' keys are mapped like headings."""
    draft = run_nested(
        {
            "ref": "C-1",
            "class": "claim",
            "line": "motor",
            "claim": {
                "incident_date": "2026-02-27",
                "notification_date": "2026-03-01",
                "kind": "Collision",
                "status": "open",
            },
            "subjects": [
                {"kind": "person", "role": "driver", "Surname": "Doe"},
                {"kind": "vehicle", "vehicle_registration": "AB12CDE"},
                {"kind": "Organisation", "role": "garage", "organisation_name": "Acme"},
            ],
        },
        {"Surname": "family_name"},
    )
    assert isinstance(draft, Draft)
    assert [(party.kind, party.role) for party in draft.parties] == [
        ("person", "driver"),
        ("vehicle", "insured_vehicle"),
        ("organisation", "garage"),
    ]
    assert draft.parties[0].raw == {"family_name": "Doe"}
    assert draft.facts.claim is not None
    assert draft.facts.claim["kind"] == "collision"


def test_what_a_filing_is_kept_from_comes_in_columns_or_nested() -> None:
    """Under the same names; empty values are absent, and other keys are refused."""
    said = {"customer_kind": "policy", "policy_end": "2027-02-28", "closed_on": ""}
    nested = run_nested({"ref": "1", "class": "customer", "basis": said, "subjects": [{"family_name": "Doe"}]})
    assert isinstance(nested, Draft)
    assert nested.facts.basis == {"customer_kind": "policy", "policy_end": "2027-02-28"}
    refused = run_nested({"ref": "1", "basis": {"end": "2027-02-28"}, "subjects": [{"family_name": "Doe"}]})
    assert isinstance(refused, Refused)
    [reject] = refused.rejects
    assert (reject.field, reject.reason[:28]) == ("basis", "expected no other keys than ")


def test_labels_come_in_columns_or_nested() -> None:
    """With the names of the encoded filing; a filing without any has none; unknown ones are named by the list."""
    [plain, flat] = run(
        {"ref": "1", "family_name": "Doe"},
        {"ref": "2", "family_name": "Doe", "tlp": "TLP:RED", "information_grade": "b"},
    )
    assert isinstance(plain, Draft)
    assert isinstance(flat, Draft)
    assert (plain.facts.labels, flat.facts.labels) == (None, {"tlp": "red", "information": "B"})
    labels = {"tlp": "amber", "code": "P", "source": ""}
    nested = run_nested({"ref": "1", "class": "customer", "labels": labels, "subjects": [{"family_name": "Doe"}]})
    assert isinstance(nested, Draft)
    assert nested.facts.labels == {"tlp": "amber", "code": "P"}
    refused = run_nested({"ref": "1", "labels": {"colour": "red"}, "subjects": [{"family_name": "Doe"}]})
    assert isinstance(refused, Refused)
    assert refused.rejects == (Reject(1, "labels", "expected no other keys than tlp, source, information, code"),)


def test_nested_faults_are_named_by_place() -> None:
    """The subject is named by its place in the list, a claim's unknown key by the list of known ones."""
    refused = run_nested(
        {"ref": "1", "subjects": [{"family_name": "Doe"}, {"kind": "person", "role": "x", "town": "y"}]}
    )
    assert isinstance(refused, Refused)
    assert refused.rejects[0].field == "subjects[1].role"
    refused = run_nested({"ref": "1", "claim": {"colour": "red"}, "subjects": [{"family_name": "Doe"}]})
    assert isinstance(refused, Refused)
    assert refused.rejects[0].field == "claim"
    assert "colour" not in refused.rejects[0].reason


def test_a_nested_record_without_subjects_is_refused() -> None:
    """An empty list of subjects is no filing."""
    assert run_nested({"ref": "1", "subjects": []}) == Refused(1, (Reject(1, "subjects", "expected at least one"),))
