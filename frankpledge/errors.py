"""The one kind of error a person is shown: a sentence that says what, and a sentence that says what to do."""

from __future__ import annotations


class KitError(Exception):
    """Something the user can put right. `what` and `remedy` are whole sentences and never hold a value of a record."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy
