"""Bank accounts: UK sort code and account number, or IBAN; one form for both."""

from __future__ import annotations

import re

from stdnum import iban
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

from frankpledge.standardise import dummies
from frankpledge.standardise.countries import UK
from frankpledge.standardise.fold import compact, fold
from frankpledge.standardise.notes import (
    BAD_IBAN,
    DUMMY,
    NO_SORT_CODE,
    NOT_AN_ACCOUNT,
    NOTHING,
    Reading,
    dropped,
    found,
)

_IBAN = re.compile(r"[a-z]{2}\d{2}[a-z0-9]{10,30}")
_UK_IBAN = re.compile(r"gb\d{2}[a-z]{4}(\d{14})")


def bank_account(text: str, country: str = "") -> Reading:
    """Atom bank_account: six digits of sort code and eight of account number, or an IBAN in lower case.

    A UK IBAN gives its sort code and account number, so that it agrees with the two written plainly. An account
    number of seven digits gains its leading zero. IBANs with wrong check digits (ISO 13616) are dropped. Outside the
    United Kingdom eight to twenty digits are kept as they are.
    """
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compacted):
        return dropped(DUMMY)
    if _IBAN.fullmatch(compacted):
        return _from_iban(compacted)
    if not compacted.isdigit():
        return dropped(NOT_AN_ACCOUNT)
    if country not in UK:
        return found("bank_account", compacted) if 8 <= len(compacted) <= 20 else dropped(NOT_AN_ACCOUNT)
    return _from_digits(compacted)


def _from_iban(compacted: str) -> Reading:
    """The account of an IBAN; UK ones need only their check digits looked at, as the expression gives the structure."""
    if match := _UK_IBAN.fullmatch(compacted):
        valid = mod_97_10.is_valid(compacted[4:] + compacted[:4])
        return _from_digits(match[1]) if valid else dropped(BAD_IBAN)
    try:
        iban.validate(compacted)
    except ValidationError:
        return dropped(BAD_IBAN)
    return found("bank_account", compacted)


def _from_digits(digits: str) -> Reading:
    """Sort code and account number run together."""
    if len(digits) not in {13, 14}:
        return dropped(NO_SORT_CODE if len(digits) in {7, 8} else NOT_AN_ACCOUNT)
    sort_code, account = digits[:6], digits[6:].zfill(8)
    dummy_account = dummies.repeated(account) or account in dummies.ACCOUNT_NUMBERS
    dummy_sort_code = dummies.repeated(sort_code) or sort_code in dummies.SORT_CODES
    if dummies.repeated(account) or (dummy_account and dummy_sort_code):
        return dropped(DUMMY)
    return found("bank_account", sort_code + account)
