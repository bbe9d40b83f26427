"""Values that people type when they have none. They look like agreement between strangers, so they are dropped."""

from __future__ import annotations

from frankpledge.standardise.fold import word_set

WORDS = word_set(
    """
    test testing tester123 dummy unknown unkown unknwon notknown notavailable notapplicable notprovided notgiven
    notsupplied notstated notdisclosed none null nil nan nat nodata novalue missing blank empty tba tbc tobeconfirmed
    tobeadvised asdf asdfgh qwerty qwertyuiop abc abcd abcdef xyz anon anonymous noname nofirstname nosurname
    firstname forename givenname surname lastname familyname policyholder noemail nophone undefined withheld
    """
)
"""Placeholder words, compared after all spaces and punctuation are removed."""

SPELLED = frozenset({"n/a", "#n/a", "n.a.", "n / a", "n\\a", "n-a"})
"""Placeholders whose letters alone would be a real name (Na is a surname)."""

PEOPLE = frozenset(
    {
        ("mickey", "mouse"),
        ("minnie", "mouse"),
        ("donald", "duck"),
        ("joe", "bloggs"),
        ("jo", "bloggs"),
        ("fred", "bloggs"),
        ("joe", "public"),
        ("john", "doe"),
        ("jane", "doe"),
        ("a n", "other"),
        ("an", "other"),
    }
)
"""Invented people, as (given, family)."""

DATES = frozenset(
    {
        (1111, 11, 11),
        (1753, 1, 1),  # the smallest date of a well-known database
        (1800, 1, 1),
        (1899, 12, 30),  # day 0 of spreadsheets
        (1899, 12, 31),
        (1900, 1, 1),
        (2222, 2, 2),
        (2222, 2, 22),
        (2999, 12, 31),
        (9999, 1, 1),
        (9999, 9, 9),
        (9999, 12, 31),
        (9999, 99, 99),
        (0, 0, 0),
        (1, 1, 1),
    }
)
"""Dates (year, month, day) that mean 'none'. 1970-01-01 stays: thousands of people were born on it."""

PHONES = frozenset({"1234567890", "7123456789", "7987654321", "9876543210", "7123123123"})
"""National numbers typed along the keyboard. Numbers reserved for drama (07700 900...) stay: examples use them."""

EMAIL_LOCALS = word_set(
    """
    test testing none noemail no nomail na unknown noreply donotreply notprovided notgiven notavailable nobody
    noone noname null asdf abc xxx
    """
)
"""Local parts, without punctuation, that name nobody."""

EMAIL_DOMAINS = frozenset({"test.com", "test.co.uk", "none.com", "noemail.com", "nomail.com", "email.com", "na.com"})
"""Domains typed to get past a required field."""

POSTCODES = frozenset({"aa11aa", "a11aa", "xx11xx", "zz11zz", "zz993wz", "zz999zz", "xx999xx", "ab11ab"})
"""UK-shaped postcodes that no place has, or that mean 'no fixed abode' or 'not known'."""

ACCOUNT_NUMBERS = frozenset({"12345678", "87654321", "01234567"})
"""Account numbers that are dummies when their sort code is one too."""

SORT_CODES = frozenset({"123456", "654321", "012345"})
"""Sort codes typed along the keyboard; those of one digit repeated are found by `repeated`."""

ID_DIGITS = frozenset({"123456", "654321", "012345"})
"""Digits of a national insurance number that mark an example."""


def is_placeholder(folded: str, compacted: str) -> bool:
    """Whether folded text (and its compact form) is a placeholder, or one character three times or more."""
    return compacted in WORDS or folded in SPELLED or (len(compacted) > 2 and repeated(compacted))


def repeated(compacted: str) -> bool:
    """Whether the text is one character over and over."""
    return compacted == compacted[:1] * len(compacted)
