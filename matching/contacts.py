"""What two people have in common besides being one person: ways to be reached, an address, a family name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matching.candidates import Candidates
from matching.columns import Bool, Columns, Packed
from matching.evidence import PairEvidence, gather
from matching.schema import KindSchema

CONTACTS = ("phone", "email", "bank_account")
"""Keys that families share, bare of any name."""
ADDRESS = "address"
_DOCUMENTS = ("national_id", "driving_licence")
_SAME_HOUSE = ("postcode", "street", "house_number")
_PAIRS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class InCommon:
    """Of some pairs: by what they have in common, where they have it; `named`: where a name is the same, too.

    A name is seen only where a key shows it: a family's where they share an anchor, the given one beside a contact.
    `known`: something of who they are is the same or could be compared, and not only how they are reached.
    """

    shared: Mapping[str, Bool]
    named: Bool
    known: Bool


def in_common(left: Columns | Packed, right: Columns | Packed, pairs: Candidates, schema: KindSchema) -> InCommon:
    """Compare pairs of people, some thousand at a time so that memory stays flat."""
    parts = [
        _of(gather(left, right, pairs.rows[at : at + _PAIRS_AT_ONCE], pairs.others[at : at + _PAIRS_AT_ONCE], schema))
        for at in range(0, len(pairs), _PAIRS_AT_ONCE)
    ]
    names = (*CONTACTS, ADDRESS)
    none = np.zeros(0, np.bool_)
    shared = {name: np.concatenate([none, *(part.shared[name] for part in parts)]) for name in names}
    named = np.concatenate([none, *(part.named for part in parts)])
    return InCommon(shared, named, np.concatenate([none, *(part.known for part in parts)]))


def _of(evidence: PairEvidence) -> InCommon:
    named = evidence.same("family") | evidence.same("family_phonetic")
    shared = {}
    for name in CONTACTS:
        shared[name] = _shared(evidence, name)
        named = named | _shared(evidence, f"given_canonical+{name}")
    at_home = np.ones(len(evidence), np.bool_)
    for field in _SAME_HOUSE:
        at_home &= evidence.same(field)
    known = evidence.opened > 0
    for name in _DOCUMENTS:
        known = known | _shared(evidence, name)
    return InCommon(shared | {ADDRESS: at_home}, named, known)


def _shared(evidence: PairEvidence, name: str) -> Bool:
    has = name in evidence.schema.key_bits
    return evidence.key(name)[1] if has else np.zeros(len(evidence), np.bool_)
