"""A report as pages: the same bytes of the same report, every fact of it, and no letter that cannot be shown."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from repository.domain.subject_requests import PartDecision, RequestKind
from repository.domain.viewings import Via
from repository.services import subject_pdf
from repository.services.subject_report import RIGHTS, WITHHELD

LOOK = {"on": "2026-03-02", "by": "Beta <AG> & Söhne 保険", "purpose": "new_business", "via": "screening"}
RECORD: dict[str, Any] = {
    "record": "sbp_1",
    "class": "claim",
    "line": "motor",
    "erased": None,
    "version": 1,
    "roles": ["driver", "policyholder"],
    "date": "2026-03-01",
    "first_filed_on": "2026-03-02",
    "last_filed_on": "2026-04-01",
    "claim": {
        "incident_date": "2026-02-26",
        "notification_date": "2026-02-27",
        "kind": "collision",
        "amount_band": "1k-5k",
        "status": "open",
    },
    "labels": {"tlp": "amber"},
    "flag": "disputed",
    "kept_from": "2026-02-27",
    "expires_on": "2032-02-27",
    "held_by": "Alpha",
    "looked_at": [LOOK],
    "deferred": {"until": "2026-04-20", "reason": "crime_prevention"},
}
ERASED = {"deletion": "del_1", "cause": "withdrawn", "removed_on": "2026-03-04", "commitment": "ab" * 32}
DECISION = {"decision": "refuse", "reason": "legal_claims", "on": "2026-03-03", "restricted_meanwhile": True}
REPORT: dict[str, Any] = {
    "request": "sbr_1",
    "kind": "access",
    "member": "Gamma",
    "reference": "D-1",
    "received_on": "2026-03-02",
    "due_on": "2026-04-02",
    "made_on": "2026-03-17",
    "version": 1,
    "rulebook": "2026.3",
    "records": [RECORD],
    "registration": None,
    "untold_purposes": ["law_enforcement"],
    "withheld": WITHHELD,
    "rights": [{"right": right, "how": how} for right, how in RIGHTS],
}


def pages(**changes: Any) -> bytes:
    """The pages of a report."""
    return subject_pdf.render(orjson.dumps(REPORT | changes))


def test_the_same_report_is_the_same_bytes() -> None:
    """No date, no number drawn; another report is another file, also in a letter that the font has not."""
    assert pages() == pages()
    other = RECORD | {"looked_at": [LOOK | {"by": "Beta <AG> & Söhne 海上"}]}
    assert pages(records=[other]) != pages()


@pytest.mark.parametrize(
    "changes",
    [
        {"records": []},
        {"records": [RECORD | {"looked_at": [LOOK] * 120}] * 3},
        {"kind": "erasure", "records": [RECORD | {"erased": ERASED, "decision": DECISION}]},
        {"kind": "restriction", "records": [RECORD | {"decision": DECISION | {"decision": None, "reason": None}}]},
        {"kind": "dispute", "records": [RECORD | {"dispute": {"dispute": "dsp_1", "status": "open"}}]},
        {
            "kind": "victim",
            "records": [],
            "registration": {
                "class": "victim",
                "line": "motor",
                "registered_on": "2026-03-02",
                "filing": "fil_1",
                "kept_from": "2026-03-02",
                "expires_on": "2027-04-02",
                "erased": None,
            },
        },
    ],
)
def test_every_report_can_be_printed(changes: dict[str, Any]) -> None:
    """Empty, long, of each kind: pages with a foot on each, and none fails."""
    made = pages(**changes)
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")


def test_every_word_that_may_come_is_known() -> None:
    """Each kind, class, way and decision has its words on the page."""
    assert set(subject_pdf._TITLES) == set(RequestKind)
    assert set(subject_pdf._VIA) == set(Via)
    assert set(subject_pdf._DECISIONS) == set(PartDecision)
