"""Telephone numbers to E.164 and email addresses to one form."""

from __future__ import annotations

import re

import phonenumbers

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold
from frankpledge.standardise.notes import DUMMY, NOT_A_PHONE, NOT_AN_EMAIL, NOTHING, Reading, dropped, found

_PLAIN_PHONE = re.compile(r"\+?[\d\s().-]+")
_NOT_DIGIT = re.compile(r"\D+")
_UK_NATIONAL = re.compile(r"(?!18002)[123578]\d{9}")
_SEVERAL_PHONES = re.compile(r"[,;/]|\bor\b")
_SEVERAL_EMAILS = re.compile(r"[,;\s]+")
_EMAIL = re.compile(r"([a-z0-9.!#$%&'*+/=?^_`{|}~-]+)@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def phone(text: str, country: str = "") -> Reading:
    """Atom phone: the digits of the E.164 number, such as 447700900123.

    Numbers without a country code are read as the country's own, GB if none is given. A number of possible length is
    kept even where it is in no known range: ranges change with each release of the metadata, lengths do not, and two
    members must agree. Of several numbers the first counts. Plain UK numbers take a short way that tests hold equal
    to the `phonenumbers` package, which reads everything else.
    """
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compacted):
        return dropped(DUMMY)
    digits = plain_uk_number(folded, country) or _parsed(_SEVERAL_PHONES.split(folded, maxsplit=1)[0], country)
    if not digits:
        return dropped(NOT_A_PHONE)
    national = digits[-10:]
    if dummies.repeated(digits[-8:]) or national in dummies.PHONES:
        return dropped(DUMMY)
    return found("phone", digits)


def plain_uk_number(text: str, country: str = "") -> str:
    """E.164 digits of a ten-digit UK number written 0..., +44..., 0044... or 44...; empty for anything else."""
    if not _PLAIN_PHONE.fullmatch(text):
        return ""
    digits = _NOT_DIGIT.sub("", text.replace("(0)", ""))
    if digits.startswith("0044") and not text.startswith("+"):
        national = digits[4:]
    elif digits.startswith("44") and (text.startswith("+") or len(digits) == 12):
        national = digits[2:]
    elif digits.startswith("0") and country in {"", "gb"} and not text.startswith("+"):
        national = digits[1:]
    else:
        return ""
    return f"44{national}" if _UK_NATIONAL.fullmatch(national) else ""


def _parsed(text: str, country: str) -> str:
    """E.164 digits by the package, for any country; empty if no number of possible length is there."""
    compacted = compact(text)
    bare = len(compacted) > 10 and compacted.isdigit() and compacted[0] != "0" and "+" not in text
    try:
        number = phonenumbers.parse(f"+{compacted}" if bare else text, (country or "gb").upper())
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def email(text: str) -> Reading:
    """Atom email: lower case, without a +tag, and at Gmail without dots (dots and tags reach the same mailbox)."""
    folded = fold(text).removeprefix("mailto:").strip("<> ")
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compacted):
        return dropped(DUMMY)
    match = _EMAIL.fullmatch(_SEVERAL_EMAILS.split(folded, maxsplit=1)[0].strip("<>"))
    if match is None or not text.isascii():
        return dropped(NOT_AN_EMAIL)
    local, domain = match[1].split("+", 1)[0], match[2]
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    if not compact(local) or compact(local) in dummies.EMAIL_LOCALS or domain in dummies.EMAIL_DOMAINS:
        return dropped(DUMMY)
    return found("email", f"{local}@{domain}")
