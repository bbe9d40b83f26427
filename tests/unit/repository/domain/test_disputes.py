"""The state machine of a dispute: who can move it where, what stays, and that its end is for good."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository.domain.disputes import (
    CLOSED,
    Decider,
    Dispute,
    Disputed,
    DisputeError,
    DisputeStatus,
    Ground,
    answered,
    decided,
    opened,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OPEN = Dispute(
    id="dsp_1",
    raiser_id="mem_a",
    hit_id="hit_1",
    about=Disputed("fil_1", 1, "mem_b", "motor", "claim"),
    ground=Ground.WRONG_FACTS,
    statement_reference="S-1",
    raised_at=NOW,
)
REJECTED = answered(OPEN, accepts=False, note_reference="N-1", now=NOW)
ACCEPTED = answered(OPEN, accepts=True, note_reference=None, now=NOW)
UPHELD = decided(REJECTED, upheld=True, reason="so", unheard=False, now=NOW)
DISMISSED = decided(REJECTED, upheld=False, reason="so", unheard=False, now=NOW)


@pytest.mark.parametrize(
    ("before", "accepts", "after"),
    [
        (OPEN, True, DisputeStatus.UPHELD),
        (OPEN, False, DisputeStatus.ANSWERED),
        (REJECTED, True, DisputeStatus.UPHELD),
        (REJECTED, False, None),
        (ACCEPTED, False, None),
        (UPHELD, True, None),
        (DISMISSED, True, None),
        (decided(OPEN, upheld=False, reason="so", unheard=True, now=NOW), False, None),
    ],
)
def test_answers(before: Dispute, accepts: bool, after: DisputeStatus | None) -> None:
    """Accepting upholds while nothing is decided, also after it was not accepted; None: it is refused."""
    if after is None:
        with pytest.raises(DisputeError):
            answered(before, accepts=accepts, note_reference="N-2", now=NOW)
    else:
        assert answered(before, accepts=accepts, note_reference="N-2", now=NOW).status is after


@pytest.mark.parametrize(
    ("before", "unheard", "allowed"),
    [(OPEN, False, False), (OPEN, True, True), (REJECTED, False, True), (REJECTED, True, True)]
    + [(closed, unheard, False) for closed in (ACCEPTED, UPHELD, DISMISSED) for unheard in (False, True)],
)
@pytest.mark.parametrize("upheld", [True, False])
def test_decisions(before: Dispute, unheard: bool, allowed: bool, upheld: bool) -> None:
    """The operator decides once, and hears the contributor first unless it says otherwise."""
    if not allowed:
        with pytest.raises(DisputeError):
            decided(before, upheld=upheld, reason="so", unheard=unheard, now=NOW)
        return
    after = decided(before, upheld=upheld, reason="so", unheard=unheard, now=NOW)
    assert after.status is (DisputeStatus.UPHELD if upheld else DisputeStatus.DISMISSED)
    assert (after.closed_by, after.closed_at, after.reason) == (Decider.OPERATOR, NOW, "so")


@pytest.mark.parametrize("before", [REJECTED, ACCEPTED, UPHELD])
def test_the_same_answer_again_changes_nothing(before: Dispute) -> None:
    """Not even its time, whatever has become of the dispute."""
    accepts = bool(before.accepts)
    later = NOW + timedelta(days=1)
    assert answered(before, accepts=accepts, note_reference=before.note_reference, now=later) is before


def test_an_own_filing_is_not_disputed() -> None:
    """The member corrects it."""
    with pytest.raises(DisputeError, match="own"):
        opened(replace(OPEN, raiser_id="mem_b"))
    assert opened(OPEN) is OPEN


MOVES = st.one_of(
    st.tuples(st.just("answer"), st.booleans(), st.sampled_from([None, "N-1", "N-2"])),
    st.tuples(st.just("decide"), st.booleans(), st.booleans()),
)


@given(st.lists(MOVES, max_size=12))
def test_no_way_leads_out_of_an_end(moves: list[tuple[str, bool, object]]) -> None:
    """Whatever is tried: an end is for good, its time and its decider are there exactly then, and it happens once."""
    dispute, ends = OPEN, 0
    for step, (kind, yes, detail) in enumerate(moves):
        before, now = dispute, NOW + timedelta(hours=step)
        with suppress(DisputeError):
            if kind == "answer":
                note = None if detail is None else str(detail)
                dispute = answered(dispute, accepts=yes, note_reference=note, now=now)
            else:
                dispute = decided(dispute, upheld=yes, reason="so", unheard=bool(detail), now=now)
        if before.status in CLOSED:
            assert dispute is before
        ends += dispute.status in CLOSED and before.status not in CLOSED
        closed = dispute.status in CLOSED
        assert (dispute.closed_at is not None, dispute.closed_by is not None) == (closed, closed)
        assert (dispute.closed_by is Decider.OPERATOR) == (dispute.reason is not None)
        assert (dispute.answered_at is None) == (dispute.accepts is None)
        assert dispute.status is not DisputeStatus.ANSWERED or dispute.accepts is False
        assert dispute.accepts is not True or dispute.status is DisputeStatus.UPHELD
    assert ends <= 1
