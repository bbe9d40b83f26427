"""Giving the linkage key to another member: identities, their fingerprints, and keys sealed to one of them by age.

What the pool carries is sealed to an X25519 key that only the other member holds, and age says nothing of who sealed
it. So both sides compare fingerprints by another way than the pool: the one that seals, that of the recipient; the one
that opens, the check of the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from frankpledge import keys, protection
from frankpledge.errors import KitError
from frankpledge.files import create_private, read_private
from frankpledge.keys import MIN_PASSPHRASE, LinkageKey, PassphraseNeededError

FORMAT = "frankpledge-identity/1"
_DIGITS = 32
_SHAPE = re.compile(f"[0-9a-f]{{{_DIGITS}}}")


class IdentityError(KitError):
    """The identity file is damaged, or is none."""


class OfferError(KitError):
    """An offered key that is not what it says it is, or cannot be opened with this identity."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A member's own key pair, by which other members' keys reach it: an X25519 identity of age."""

    secret: str = field(repr=False)
    recipient: str

    @property
    def fingerprint(self) -> str:
        """What others compare before they seal a key to it."""
        return fingerprint(self.recipient)


def create(path: Path, passphrase: str | None = None) -> Identity:
    """Make a new identity and store it in a new private file, sealed when there is a passphrase."""
    from pyrage import x25519  # noqa: PLC0415 - only where keys are agreed on

    made = x25519.Identity.generate()
    identity = Identity(str(made), str(made.to_public()))
    create_private(path, _dump(identity, passphrase))
    return identity


def load(path: Path, passphrase: str | None = None) -> Identity:
    """Read an identity file. Raises IdentityError, PassphraseNeededError or ProtectionError."""
    document = _document(read_private(path))
    recipient, sealed = document.get("recipient"), document.get("protection")
    if not isinstance(recipient, str):
        raise _damaged()
    if isinstance(sealed, dict):
        if passphrase is None:
            raise PassphraseNeededError(
                "The identity file is protected by a passphrase.",
                "Set FRANKPLEDGE_PASSPHRASE, give --identity-passphrase-file, or run in a terminal to be asked.",
            )
        secret = protection.open_sealed(sealed, passphrase, _header(recipient)).decode("ascii")
    else:
        secret = str(document.get("secret"))
    if _public(secret) != recipient:
        raise _damaged()
    return Identity(secret, recipient)


def is_protected(path: Path) -> bool:
    """Whether an identity file needs a passphrase."""
    return "protection" in _document(read_private(path))


def fingerprint(recipient: str) -> str:
    """The fingerprint of a public key, 32 hex digits in groups of four: to be read out on the telephone.

    Raises KitError for what is no public key.
    """
    return grouped(hashlib.sha256(b"frankpledge/recipient/v1\0" + _known(recipient).encode()).hexdigest()[:_DIGITS])


def grouped(digits: str) -> str:
    """Hex digits in groups of four."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def same(told: str, shown: str) -> bool:
    """Whether what somebody typed is the fingerprint or check that is shown; spaces and case do not count.

    Raises KitError where it is not 32 hex digits, as the first half of a fingerprint is easily made to fit.
    """
    typed = "".join(told.split()).lower()
    if _SHAPE.fullmatch(typed) is None:
        raise KitError(
            f"That is not all of it: {_DIGITS} hex digits are needed.", "Have the other member read out the whole line."
        )
    return hmac.compare_digest(typed, "".join(shown.split()))


def seal(key: LinkageKey, recipient: str) -> bytes:
    """Seal a linkage key to a member's public key."""
    import pyrage  # noqa: PLC0415 - only where keys are agreed on

    return pyrage.encrypt(keys.dump(key), [pyrage.x25519.Recipient.from_str(_known(recipient))])


def unseal(sealed: bytes, identity: Identity, *, fingerprint: str, epoch: int) -> LinkageKey:
    """Open an offered key, which must be the one that the offer names. Raises OfferError."""
    import pyrage  # noqa: PLC0415 - only where keys are agreed on

    try:
        opened = pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity.secret)])
        key = keys.parse(opened)
    except (pyrage.DecryptError, KitError):
        raise OfferError(
            "The offered key cannot be opened with this identity.",
            "Have it offered again, to the public key that `frankpledge keys identity show` prints.",
        ) from None
    if not hmac.compare_digest(key.fingerprint, fingerprint) or key.epoch != epoch:
        raise OfferError(
            "The offered key is not the one that the offer names.", "Do not use it; tell the member that offered it."
        )
    return key


def _known(recipient: str) -> str:
    from pyrage import RecipientError, x25519  # noqa: PLC0415 - only where keys are agreed on

    try:
        return str(x25519.Recipient.from_str(recipient))
    except RecipientError:
        raise KitError("That is no public key of age.", "It begins with age1 and has 62 characters.") from None


def _public(secret: str) -> str:
    from pyrage import IdentityError as NoIdentityError  # noqa: PLC0415 - only where keys are agreed on
    from pyrage import x25519  # noqa: PLC0415 - the same

    try:
        return str(x25519.Identity.from_str(secret).to_public())
    except NoIdentityError:
        raise _damaged() from None


def _dump(identity: Identity, passphrase: str | None) -> bytes:
    document: dict[str, object] = {"format": FORMAT, "recipient": identity.recipient}
    if passphrase is None:
        document["secret"] = identity.secret
    else:
        if len(passphrase) < MIN_PASSPHRASE:
            raise KitError("The passphrase is too short.", f"Use at least {MIN_PASSPHRASE} characters.")
        header = _header(identity.recipient)
        document["protection"] = protection.seal(identity.secret.encode(), passphrase, header)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _header(recipient: str) -> bytes:
    return f"{FORMAT}|{recipient}".encode()


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise IdentityError("This is not an identity file.", "Give the one that `frankpledge keys identity init` made.")
    return document


def _damaged() -> IdentityError:
    return IdentityError("The identity file is damaged.", "Make another one, and publish it.")


def decoded(sealed: str) -> bytes:
    """What the pool carries, as bytes. Raises OfferError."""
    try:
        return base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise OfferError("The offer is damaged.", "Have it offered again.") from None
