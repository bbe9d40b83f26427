"""What is wrong with a value handed in, in words that never hold the value."""

from __future__ import annotations


class FieldError(ValueError):
    """A field that is not as expected: its dotted path and a sentence. `str()` never shows the value."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected
