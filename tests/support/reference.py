"""The encoding as docs/encoding.md tells it, one record at a time in plain Python: slow, and plain to read."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from matching.schema import KeySpec, LinkageSchema, TokenSpec
from matching.types import EncodedSubject, Kind


class Reference:
    """Encodes under one schema and one linkage key."""

    def __init__(self, schema: LinkageSchema, secret: bytes) -> None:
        self._schema, self._secret = schema, secret
        self._subkey = functools.cache(self._subkey_of)
        self._cipher = functools.cache(self._cipher_of)

    def subject(self, kind: Kind, role: str, atoms: Mapping[str, str]) -> EncodedSubject | None:
        """The subject; None where no key can be made."""
        spec, known = self._schema.kinds[kind], _derived(atoms)
        mask, keys, sketches = 0, b"", b""
        for bit, key in enumerate(spec.keys):
            made = self._key(kind, key, known)
            if made is not None:
                mask |= 1 << bit
                keys += made[0]
                sketches += self._block(kind, made[1], known) if key.anchor and spec.sketch else b""
        fields = [part.number for part in spec.sketch if known.get(part.token.atom)]
        observed = sum(1 << number for number in fields) if sketches else 0
        return EncodedSubject(kind, role, mask, keys, observed, sketches) if mask else None

    def _subkey_of(self, use: str) -> bytes:
        purpose = f"{self._schema.id}/{use}".encode()
        return hmac.digest(self._secret, b"frankpledge/derive/v1\0" + purpose, "sha256")

    def _cipher_of(self, use: str) -> CipherContext:
        return Cipher(algorithms.AES(self._subkey(use)), modes.ECB()).encryptor()  # noqa: S305

    def _start(self, use: str) -> bytes:
        return self._subkey(f"start/{use}")[:16]

    def _aes(self, use: str, block: bytes) -> bytes:
        return self._cipher(use).update(block)

    def _f(self, use: str, block: bytes) -> bytes:
        return _xor(self._aes(use, block), block)

    def _hash(self, value: str) -> bytes:
        encoded, state = value.encode(), bytes(16)
        message = len(encoded).to_bytes(4, "little") + encoded
        message += bytes(-len(message) % 16)
        for at in range(0, len(message), 16):
            state = self._f("values", _xor(state, message[at : at + 16]))
        return state

    def _key(self, kind: Kind, key: KeySpec, known: Mapping[str, str]) -> tuple[bytes, bytes] | None:
        """A key and the salt beside it."""
        joined = self._joined(kind, key, known)
        if not joined:
            return None
        state = self._start(f"{kind}/{key.name}")
        for block in joined[:-1]:
            state = self._f("chain", _xor(state, block))
        last = _xor(state, joined[-1])
        return self._f("keys", last), self._f("salts", last)[:8]

    def _joined(self, kind: Kind, key: KeySpec, known: Mapping[str, str]) -> list[bytes]:
        """The blocks that a key joins; none where they are not all known, or hold too little."""
        bands = self._schema.kinds[kind].bands
        if key.band is None or bands is None:
            return [self._hash(known[atom]) for atom in key.of] if known.keys() >= set(key.of) else []
        held = {spec.atom for spec in bands.tokens if spec.atom in known}
        if self._schema.joint_bits(sorted(held)) < self._schema.kinds[kind].entropy_floor:
            return []
        tokens = [token for spec in bands.tokens for token in self._tokens(spec, known)]
        blocks = [self._aes("bands", token + key.band.to_bytes(8, "little")) for token in tokens]
        lanes = [min(int.from_bytes(block[at : at + 4], "little") for block in blocks) for at in range(0, 16, 4)]
        return [b"".join(lane.to_bytes(4, "little") for lane in lanes)]

    def _tokens(self, spec: TokenSpec, known: Mapping[str, str]) -> list[bytes]:
        if spec.atom not in known:
            return []
        value = known[spec.atom]
        padded = b"_" + value.encode() + b"_"
        bigrams = [padded[at : at + 2] + bytes(14) for at in range(len(padded) - 1)]
        blocks = [self._hash(value)] if spec.cut == "whole" else bigrams
        start = self._start(f"{spec.cut}/{spec.space}")
        return [self._f("tokens", _xor(start, block))[:8] for block in blocks]

    def _block(self, kind: Kind, salt: bytes, known: Mapping[str, str]) -> bytes:
        """The sketches that hang on one anchor."""
        made = b""
        for part in self._schema.kinds[kind].sketch:
            blocks = [self._aes("sketches", salt + token) for token in self._tokens(part.token, known)]
            if not blocks:
                made += bytes(part.size)
            elif part.token.cut == "whole":
                made += blocks[0][:1]
            else:
                lanes = [min(int.from_bytes(block[2 * n : 2 * n + 2], "little") for block in blocks) for n in range(8)]
                made += bytes(lane & 0xFF for lane in lanes[: part.size])
        return made


def _derived(atoms: Mapping[str, str]) -> dict[str, str]:
    """The atoms that are known, with those that follow from others."""
    known = {atom: value for atom, value in atoms.items() if value}
    if words := known.get("street", "").split():
        known["street_word"] = max(words, key=len)
    if len(vin := known.get("vin", "")) >= 8:
        known["vin_tail"] = vin[-8:]
    return known


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
