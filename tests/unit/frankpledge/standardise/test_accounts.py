"""Bank accounts."""

from __future__ import annotations

import pytest

from frankpledge.standardise.accounts import bank_account
from frankpledge.standardise.notes import BAD_IBAN, DUMMY, NO_SORT_CODE, NOT_AN_ACCOUNT


@pytest.mark.parametrize(
    "text", ["12-34-56 98765432", "123456 98765432", "12345698765432", "GB82 WEST 1234 5698 7654 32"]
)
def test_sort_code_and_account_agree_with_the_iban(text: str) -> None:
    """The two ways to name a UK account give one atom."""
    assert bank_account(text).atoms == (("bank_account", "12345698765432"),)


def test_a_seven_digit_account_gains_its_zero() -> None:
    """Old account numbers are padded to eight digits."""
    assert bank_account("20-30-40 1234567").atoms == (("bank_account", "20304001234567"),)


def test_foreign_ibans_are_kept_whole() -> None:
    """An IBAN of another country stays an IBAN."""
    assert bank_account("DE89 3704 0044 0532 0130 00").atoms == (("bank_account", "de89370400440532013000"),)


@pytest.mark.parametrize("text", ["GB83 WEST 1234 5698 7654 32", "DE88 3704 0044 0532 0130 00", "GB82 WEST 1234"])
def test_wrong_check_digits_are_noted(text: str) -> None:
    """An IBAN that fails its check digits or structure is dropped."""
    assert bank_account(text).reasons in {(BAD_IBAN,), (NOT_AN_ACCOUNT,)}


@pytest.mark.parametrize("text", ["00-00-00 00000000", "123456 12345678", "20-30-40 11111111", "n/a"])
def test_dummy_accounts_are_dropped(text: str) -> None:
    """Accounts typed along the keyboard are nobody's."""
    assert bank_account(text) == ((), (DUMMY,))


@pytest.mark.parametrize(
    ("text", "reason"), [("12345679", NO_SORT_CODE), ("12345", NOT_AN_ACCOUNT), ("my bank", NOT_AN_ACCOUNT)]
)
def test_incomplete_accounts_are_noted(text: str, reason: str) -> None:
    """An account number without its sort code is shared by many people."""
    assert bank_account(text) == ((), (reason,))


def test_domestic_accounts_elsewhere_are_kept() -> None:
    """Where there are no sort codes, the digits are kept as they are."""
    assert bank_account("062-000 1234 5679", "au").atoms == (("bank_account", "06200012345679"),)
