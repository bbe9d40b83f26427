"""Passwords that anyone would try first: those of documents, and words of them with digits or signs."""

from __future__ import annotations

import re

from repository.services.onboarding import SHORTEST_PASSWORD

KNOWN_PASSWORDS = (
    *("password", "passwordpassword", "password1234", "changeme", "changemechangeme", "change-me-please"),
    *("frankpledge", "frankpledge-admin", "frankpledgefrankpledge", "operator", "operatoroperator", "administrator"),
    *("123456789012", "1234567890123456", "pppppppppppppppp", "correct horse battery staple", "postgres", "secret"),
)
_WORDS = (
    *("abc", "access", "admin", "administrator", "change", "changeit", "changeme", "database", "default", "demo"),
    *("example", "frankpledge", "guest", "hello", "letmein", "login", "master", "me", "my", "new", "operator", "owner"),
    *("pass", "password", "please", "pool", "postgres", "postgresql", "private", "qwerty", "qwertyuiop", "root"),
    *("sa", "secret", "secure", "server", "service", "super", "superuser", "temp", "test", "the", "this", "to"),
    *("token", "user", "welcome", "your"),
)
_FEWEST_LETTERS, _MOST_OTHERS = 5, 8
"""Different letters that a password has at least; digits and signs around words that make them no better."""
_ONLY_WORDS = re.compile(f"(?:{'|'.join(_WORDS)})+")
_SPELT = str.maketrans("@013457$!", "aoieastsi")
"""Letters as signs that look like them."""


def is_weak_password(password: str) -> bool:
    """Whether it is too short, repeats itself, is in a document, or is such words with some digits and signs."""
    lowered = password.lower()
    if len(password) < SHORTEST_PASSWORD or len(set(lowered)) < _FEWEST_LETTERS or lowered in KNOWN_PASSWORDS:
        return True
    core = re.sub(r"^[^a-z]+|[^a-z]+$", "", lowered)
    return any(_is_of_words(each, len(password)) for each in (core, core.translate(_SPELT)))


def _is_of_words(core: str, length: int) -> bool:
    letters = re.sub(r"[^a-z]", "", core)
    return length - len(letters) <= _MOST_OTHERS and _ONLY_WORDS.fullmatch(letters) is not None
