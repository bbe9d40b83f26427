"""RFC 9497: oblivious pseudo-random functions, ristretto255-SHA512, plain (0x00) and verifiable (0x01).

Who holds a key evaluates it on values it does not see; who asks learns the result, and nothing of the key. The group
is libsodium's, by rbcl, whose multiplications take the same time whatever the scalar is.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import rbcl  # type: ignore[import-untyped] # has no types

ELEMENT_BYTES = SCALAR_BYTES = 32
OUTPUT_BYTES = 64
PROOF_BYTES = 2 * SCALAR_BYTES
MOST = 65535
"""Values of one batch."""
_SUITE = b"ristretto255-SHA512"
_BLOCK = 128


class Mode(IntEnum):
    """Whether an evaluation comes with a proof that it is by the key whose public part is known."""

    PLAIN = 0
    VERIFIABLE = 1


class OprfError(ValueError):
    """An element that is none, a value that cannot be blinded, or a proof that does not hold."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The functions of one mode."""

    mode: Mode

    @property
    def context(self) -> bytes:
        """What keeps modes and suites apart."""
        return b"OPRFV1-" + bytes([self.mode]) + b"-" + _SUITE

    def derive_key(self, seed: bytes, info: bytes) -> bytes:
        """The key that follows from a seed of 32 bytes. Raises OprfError, next to never."""
        for counter in range(256):
            given = seed + _sized(info) + bytes([counter])
            key = self._scalar(given, b"DeriveKeyPair" + self.context)
            if any(key):
                return key
        raise OprfError("no key follows from this seed")

    def blind(self, value: bytes, scalar: bytes | None = None) -> tuple[bytes, bytes]:
        """A random scalar, and the value hidden by it: what is sent."""
        scalar = scalar or _random_scalar()
        return scalar, _multiplied(scalar, self._element(value))

    def evaluate(self, key: bytes, blinded: Sequence[bytes]) -> list[bytes]:
        """What the holder of the key answers. Raises OprfError."""
        return [_multiplied(key, _checked(each)) for each in blinded]

    def finalize(self, value: bytes, scalar: bytes, evaluated: bytes) -> bytes:
        """The result, 64 bytes. Raises OprfError."""
        opened = _multiplied(rbcl.crypto_core_ristretto255_scalar_invert(scalar), _checked(evaluated))
        return hashlib.sha512(_sized(value) + _sized(opened) + b"Finalize").digest()

    def prove(
        self, key: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], scalar: bytes | None = None
    ) -> bytes:
        """That all were evaluated by one key: a batched proof of equal discrete logarithms."""
        public = public_key(key)
        sum_blinded, _ = self._composites(public, blinded, evaluated, key)
        sum_evaluated = _multiplied(key, sum_blinded)
        scalar = scalar or _random_scalar()
        seen = rbcl.crypto_scalarmult_ristretto255_base(scalar), _multiplied(scalar, sum_blinded)
        challenge = self._challenge(public, sum_blinded, sum_evaluated, *seen)
        product = rbcl.crypto_core_ristretto255_scalar_mul(challenge, key)
        return challenge + bytes(rbcl.crypto_core_ristretto255_scalar_sub(scalar, product))

    def verify(self, public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> None:
        """Raises OprfError unless the proof shows that all were evaluated by the key of this public part."""
        if len(proof) != PROOF_BYTES or len(blinded) != len(evaluated) or not blinded:
            raise OprfError("the proof does not hold")
        challenge, answer = proof[:SCALAR_BYTES], proof[SCALAR_BYTES:]
        sum_blinded, sum_evaluated = self._composites(_checked(public), blinded, evaluated, None)
        add = rbcl.crypto_core_ristretto255_add
        base = rbcl.crypto_scalarmult_ristretto255_base(answer)
        seen = (
            add(base, _multiplied(challenge, public)),
            add(_multiplied(answer, sum_blinded), _multiplied(challenge, sum_evaluated)),
        )
        if not hmac.compare_digest(self._challenge(public, sum_blinded, sum_evaluated, *seen), challenge):
            raise OprfError("the proof does not hold")

    def _composites(
        self, public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], key: bytes | None
    ) -> tuple[bytes, bytes]:
        """Sums of both lists by weights that follow from all; who has the key needs the first only."""
        seed = hashlib.sha512(_sized(public) + _sized(b"Seed-" + self.context)).digest()
        sums: list[bytes | None] = [None, None]
        for at, pair in enumerate(zip(blinded, evaluated, strict=True)):
            said = _sized(seed) + at.to_bytes(2, "big") + b"".join(map(_sized, pair)) + b"Composite"
            weight = self._scalar(said, b"HashToScalar-" + self.context)
            for place, element in enumerate(pair if key is None else pair[:1]):
                part, before = _multiplied(weight, _checked(element)), sums[place]
                sums[place] = part if before is None else rbcl.crypto_core_ristretto255_add(before, part)
        return sums[0] or b"", sums[1] or b""

    def _challenge(self, *elements: bytes) -> bytes:
        return self._scalar(b"".join(map(_sized, elements)) + b"Challenge", b"HashToScalar-" + self.context)

    def _element(self, value: bytes) -> bytes:
        uniform = _expanded(value, b"HashToGroup-" + self.context)
        return bytes(rbcl.crypto_core_ristretto255_from_hash(uniform))

    @staticmethod
    def _scalar(said: bytes, tag: bytes) -> bytes:
        return bytes(rbcl.crypto_core_ristretto255_scalar_reduce(_expanded(said, tag)))


def new_key() -> bytes:
    """A random key."""
    return _random_scalar()


def public_key(key: bytes) -> bytes:
    """The public part of a key."""
    return bytes(rbcl.crypto_scalarmult_ristretto255_base(key))


def _random_scalar() -> bytes:
    return bytes(rbcl.crypto_core_ristretto255_scalar_random())


def _multiplied(scalar: bytes, element: bytes) -> bytes:
    try:
        return bytes(rbcl.crypto_scalarmult_ristretto255(scalar, element))
    except RuntimeError:  # the identity came out
        raise OprfError("a value or a scalar of nothing") from None


def _checked(element: bytes) -> bytes:
    if len(element) != ELEMENT_BYTES or not any(element) or not rbcl.crypto_core_ristretto255_is_valid_point(element):
        raise OprfError("not an element of the group")
    return element


def _expanded(message: bytes, tag: bytes) -> bytes:
    """64 uniform bytes: expand_message_xmd of RFC 9380 with SHA-512."""
    ending = tag + bytes([len(tag)])
    first = hashlib.sha512(bytes(_BLOCK) + message + (64).to_bytes(2, "big") + b"\0" + ending).digest()
    return hashlib.sha512(first + b"\1" + ending).digest()


def _sized(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content
