"""What a class counts for (R2): what was filed of it, of what is declared, by itself and with its line."""

from __future__ import annotations

from repository.domain.rulebook import Level
from tests.support.standing import SIXTEEN_A_DAY, filed, stand, terms

BOTH = {"motor/customer": SIXTEEN_A_DAY, "motor/claim": SIXTEEN_A_DAY}


def test_a_full_class_does_not_make_up_for_an_empty_one() -> None:
    """Half of the line is there, all of it customers: they count, and the one claim among 1,440 declared does not."""
    customers = filed(range(90), "motor/customer", accepted=16)
    claims = filed([89], "motor/claim", accepted=1)
    line = stand(90, customers, claims, on=terms(BOTH)).line("motor")
    assert line is not None
    assert {each.record_class: each.counts for each in line.pairs} == {"customer": True, "claim": False}
    assert line.level is Level.CUSTOMERS
