"""Handling labels: how good the contributor holds a record to be, and how far it may go. They travel with it.

With them goes the flag that the pool put on the record, which caps what is shown of it in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matching.vocabulary import LABELS
from repository.domain.errors import FieldError

FIELDS = frozenset(LABELS)


@dataclass(frozen=True, slots=True)
class Labels:
    """A TLP colour, and the three parts of a 3x5x2 grading: source, information, handling code. None: not labelled.

    `flag` is the pool's own (`domain.flags`), and no label that a contributor gives.
    """

    tlp: str | None = None
    source: str | None = None
    information: str | None = None
    code: str | None = None
    flag: str | None = None

    def as_dict(self) -> dict[str, str]:
        """As JSON: the labels that the contributor gave."""
        named = {"tlp": self.tlp, "source": self.source, "information": self.information, "code": self.code}
        return {name: word for name, word in named.items() if word is not None}


UNLABELLED = Labels()


def labels_from_json(raw: object) -> Labels:
    """The labels of a filing; every one may be left out. Raises FieldError."""
    if raw is None:
        return UNLABELLED
    if not isinstance(raw, Mapping):
        raise FieldError("labels", f"an object with any of {', '.join(LABELS)}")
    if not raw.keys() <= FIELDS:
        raise FieldError("labels", f"no other fields than {', '.join(sorted(FIELDS))}")
    return Labels(**{name: _word(raw, name) for name in LABELS})


def _word(raw: Mapping[str, object], name: str) -> str | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or value not in LABELS[name]:
        raise FieldError(f"labels.{name}", f"one of {', '.join(LABELS[name])}")
    return value
