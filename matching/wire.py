"""An encoded subject on the wire (JSON) and at rest (packed bytes), checked field by field on the way in."""

from __future__ import annotations

import binascii
import re
import struct
from array import array
from collections.abc import Mapping
from typing import Any, cast

from matching.schema import KindSchema, LinkageSchema
from matching.types import KEY_BYTES, KINDS, EncodedSubject, Kind
from matching.vocabulary import ROLES

MAX_NAME_LENGTH = 200
MAX_FACT = 255
_HEX = re.compile("[0-9a-f]+")
PADDED = 128
"""What the length of a packed subject is a multiple of: one of few sizes, which many share."""
_HEAD = struct.Struct("<BBBBBHII")
"""Kind, and the bytes of role, mask, observed, facts, name, keys and sketches."""
_SHORT = "packed subject: shorter than it says"
_HALVES = "Q"
"""Eight bytes each, as they lie in memory: half a key."""


class WireError(ValueError):
    """A part of an encoded record is not what the schema asks for. Never holds the value itself."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


def subject_to_json(subject: EncodedSubject) -> dict[str, object]:
    """The JSON object of a subject; masks are hexadecimal, keys and sketches base64 (RFC 4648)."""
    out: dict[str, object] = {
        "kind": subject.kind,
        "role": subject.role,
        "mask": f"{subject.mask:x}",
        "keys": binascii.b2a_base64(subject.keys, newline=False).decode(),
    }
    if subject.sketches:
        out["observed"] = f"{subject.observed:x}"
        out["sketches"] = binascii.b2a_base64(subject.sketches, newline=False).decode()
    if subject.facts:
        out["facts"] = dict(subject.facts)
    if subject.name is not None:
        out["name"] = subject.name
    return out


def subject_from_json(obj: object, schema: LinkageSchema, *, where: str = "subject") -> EncodedSubject:
    """Read and check one subject; raises WireError with the dotted path of the first part that is wrong."""
    if not isinstance(obj, Mapping):
        raise WireError(where, "a JSON object")
    unknown = set(obj) - {"kind", "role", "mask", "keys", "observed", "sketches", "facts", "name"}
    if unknown:
        raise WireError(where, "no members but kind, role, mask, keys, observed, sketches, facts and name")
    kind = _kind(obj, where)
    role = obj.get("role")
    if role not in ROLES[kind]:
        raise WireError(f"{where}.role", f"one of {', '.join(ROLES[kind])}")
    spec = schema.kinds[kind]
    mask = _bits(obj, "mask", len(spec.keys), where)
    if mask == 0:
        raise WireError(f"{where}.mask", "at least one key")
    keys = _blob(obj, "keys", KEY_BYTES * mask.bit_count(), where)
    observed, sketches = _sketches(obj, spec, mask, where)
    return EncodedSubject(kind, str(role), mask, keys, observed, sketches, _facts(obj, where), _name(obj, kind, where))


def _kind(obj: Mapping[str, Any], where: str) -> Kind:
    kind = obj.get("kind")
    if kind not in KINDS:
        raise WireError(f"{where}.kind", f"one of {', '.join(KINDS)}")
    return cast("Kind", kind)


def _bits(obj: Mapping[str, Any], member: str, width: int, where: str) -> int:
    text = obj.get(member)
    expected = f"a hexadecimal bit mask of at most {width} bits"
    if not isinstance(text, str) or not 0 < len(text) <= (width + 3) // 4 or not _HEX.fullmatch(text):
        raise WireError(f"{where}.{member}", expected)
    value = int(text, 16)
    if value >> width:
        raise WireError(f"{where}.{member}", expected)
    return value


def _blob(obj: Mapping[str, Any], member: str, size: int, where: str) -> bytes:
    text = obj.get(member)
    expected = f"base64 of exactly {size} bytes, as the mask says"
    if not isinstance(text, str) or len(text) != -(-size // 3) * 4:
        raise WireError(f"{where}.{member}", expected)
    try:
        blob = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise WireError(f"{where}.{member}", expected) from None
    if len(blob) != size:
        raise WireError(f"{where}.{member}", expected)
    return blob


def _sketches(obj: Mapping[str, Any], spec: KindSchema, mask: int, where: str) -> tuple[int, bytes]:
    size = spec.block_size * (mask & spec.anchor_mask).bit_count()
    if size == 0:
        if "sketches" in obj or "observed" in obj:
            raise WireError(f"{where}.sketches", "no sketches without an anchor key")
        return 0, b""
    return _bits(obj, "observed", len(spec.sketch), where), _blob(obj, "sketches", size, where)


def _facts(obj: Mapping[str, Any], where: str) -> dict[str, int]:
    facts = obj.get("facts", {})
    if not isinstance(facts, Mapping) or not all(
        isinstance(name, str) and name in FACTS and type(value) is int and 0 <= value <= MAX_FACT
        for name, value in facts.items()
    ):
        raise WireError(f"{where}.facts", f"whole numbers from 0 to {MAX_FACT} named {', '.join(FACTS)}")
    return dict(facts)


FACTS = ("given_rarity", "family_rarity")
"""What a fact may be: rarity classes of names, 0 (very common) to 7 (not on the public frequency list)."""


def _name(obj: Mapping[str, Any], kind: Kind, where: str) -> str | None:
    name = obj.get("name")
    if name is None:
        return None
    if kind != "organisation" or not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH:
        raise WireError(
            f"{where}.name", f"a trading name of at most {MAX_NAME_LENGTH} characters, for organisations only"
        )
    return name


def pack(subject: EncodedSubject) -> bytes:
    """Bytes of a subject for a sealed envelope, `PADDED` or a multiple of it: a length says little of what is there.

    Of each key the first half is kept: what is compared, and what the index is made of. `unpack` is the inverse.
    """
    role, name = subject.role.encode(), (subject.name or "").encode()
    mask, observed = _little(subject.mask), _little(subject.observed)
    facts = b"".join([bytes((FACTS.index(fact), value)) for fact, value in sorted(subject.facts.items())])
    head = (KINDS.index(subject.kind), len(role), len(mask), len(observed), len(facts), len(name))
    packed = b"".join(
        (
            _HEAD.pack(*head, len(subject.keys) // 2, len(subject.sketches)),
            *(role, mask, observed, facts, name),
            halves(subject.keys),
            subject.sketches,
        )
    )
    return packed.ljust(-(-len(packed) // PADDED) * PADDED, b"\0")


def unpack(data: bytes) -> EncodedSubject:
    """The subject that `pack` wrote, its keys with zeros for what is not kept.

    Raises ValueError, IndexError or struct.error on anything else.
    """
    kind, role_size, *_ = _HEAD.unpack_from(data)
    mask, observed, facts, name, start, middle, end = _parts(data)
    kept = array(_HALVES, data[start:middle])
    keys = array(_HALVES, bytes(2 * (middle - start)))
    keys[::2] = kept
    return EncodedSubject(
        KINDS[kind],
        data[_HEAD.size : _HEAD.size + role_size].decode(),
        int.from_bytes(mask, "little"),
        keys.tobytes(),
        int.from_bytes(observed, "little"),
        data[middle:end],
        {FACTS[place]: value for place, value in zip(facts[::2], facts[1::2], strict=True)},
        name.decode() or None,
    )


def split(data: bytes) -> tuple[bytes, int, str | None, int, int, int]:
    """What is compared of the subject that `pack` wrote: mask, lowest byte first, observed, name, where the rest lies.

    Halves of keys lie between the first two of the places, sketches between the last two. Raises as `unpack` does.
    """
    # What `_parts` does, by itself: candidates are split by the thousand.
    _, role, masked, seen, facts, named, keys, sketches = _HEAD.unpack_from(data)
    mask_at = _HEAD.size + role
    observed_at = mask_at + masked
    name_at = observed_at + seen + facts
    start = name_at + named
    middle = start + keys
    end = middle + sketches
    if len(data) < end:
        raise ValueError(_SHORT)
    observed = int.from_bytes(data[observed_at : observed_at + seen], "little")
    return data[mask_at:observed_at], observed, data[name_at:start].decode() if named else None, start, middle, end


def halves(keys: bytes) -> bytes:
    """The first half of each of some keys."""
    return array(_HALVES, keys)[::2].tobytes()


def _parts(data: bytes) -> tuple[bytes, bytes, bytes, bytes, int, int, int]:
    """Mask, observed, facts and name as they are packed; where keys begin, where sketches do, and where they end."""
    _, role_size, mask_size, observed_size, facts_size, name_size, keys_size, sketches_size = _HEAD.unpack_from(data)
    mask_at = _HEAD.size + role_size
    observed_at = mask_at + mask_size
    facts_at = observed_at + observed_size
    name_at = facts_at + facts_size
    start = name_at + name_size
    middle = start + keys_size
    end = middle + sketches_size
    if len(data) < end:
        raise ValueError(_SHORT)
    mask, observed = data[mask_at:observed_at], data[observed_at:facts_at]
    return mask, observed, data[facts_at:name_at], data[name_at:start], start, middle, end


def _little(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "little")
