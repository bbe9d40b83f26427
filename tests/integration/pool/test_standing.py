"""Standing: what is given, what may be seen for it, and what would change that."""

from __future__ import annotations

from repository.domain.members import MemberStatus
from repository.services.onboarding import change_status
from tests.integration.pool.conftest import Desk
from tests.support.encodings import filing


def test_a_new_member_sees_what_to_do(alpha: Desk) -> None:
    """Nothing is contributed: no line may be screened, and each says why and what would help."""
    standing = alpha.get("/v1/standing")
    assert standing["member"] == {"id": alpha.member.id, "name": "Alpha"}
    assert standing["membership"]["allowed"]
    assert [line["line"] for line in standing["lines"]] == ["home", "motor"]
    for line in standing["lines"]:
        assert (line["may_screen"], line["level"], line["contributions"]) == (False, "nothing", [])
        assert set(line["tiers"].values()) == {0}
        assert line["rule"] == "R2"
        assert line["line"] in line["remedy"]


def test_contributions_are_counted_by_line_and_class(alpha: Desk) -> None:
    """Records accepted in the window; repeating one, or filing it anew with another date, adds nothing."""
    for reference in ("P-1", "P-2"):
        alpha.file(filing(reference))
    alpha.file(filing("P-1"), status=200)
    for day in ("2026-02-01", "2026-02-02"):
        alpha.file(filing("P-1") | {"date": day})
    alpha.file(filing("C-1", record_class="claim"))
    motor = alpha.get("/v1/standing")["lines"][1]
    counted = [(each["class"], each["accepted_in_window"]) for each in motor["contributions"]]
    assert counted == [("claim", 1), ("customer", 2)]
    assert motor["contributions"][0]["last"].startswith("2026-03-02T09:00:00")
    assert (motor["may_screen"], motor["level"], motor["tiers"]["proven"]) == (True, "claims", 3)


def test_a_suspended_member_still_sees_its_standing(alpha: Desk) -> None:
    """And the rule that holds it back."""
    with alpha.services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=alpha.services.clock())
    membership = alpha.get("/v1/standing")["membership"]
    assert (membership["allowed"], membership["rule"], membership["status"]) == (False, "R1", "suspended")
    assert membership["remedy"]
