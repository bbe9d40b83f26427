"""What lies in the database without the operator's secret: nothing that can be read or compared."""

from __future__ import annotations

import numpy as np
import pytest

from matching.types import KINDS
from repository.storage.sealing import Sealer, SealError, index_keys, named_context, record_context

SEALER = Sealer(bytes(range(32)))
OTHER = Sealer(bytes(32))
KEYS = bytes(range(160))  # ten keys


def test_rekeying_a_column_is_rekeying_each_key() -> None:
    """One call for a column gives what one call for each key gives, and keeps what is equal equal."""
    column = SEALER.rekey(KEYS, "person")
    assert column == b"".join(SEALER.rekey(KEYS[start : start + 16], "person") for start in range(0, 160, 16))
    assert SEALER.rekey(KEYS[:16] * 2, "person") == column[:16] * 2


def test_rekeyed_keys_depend_on_the_secret() -> None:
    """Under another secret the same keys become others: a copied table is useless elsewhere."""
    assert SEALER.rekey(KEYS, "person") != OTHER.rekey(KEYS, "person") != KEYS


def test_rekeying_takes_what_is_kept_of_a_key() -> None:
    """The first half of each: from it alone, under another secret, the same rows are made as from the whole key."""
    kept = b"".join(KEYS[at : at + 8] + bytes(8) for at in range(0, len(KEYS), 16))
    assert OTHER.rekey(kept, "person") == OTHER.rekey(KEYS, "person")
    assert len(set(np.frombuffer(SEALER.rekey(KEYS, "person"), "V16").tolist())) == 10


def test_rekeyed_keys_depend_on_the_kind() -> None:
    """Key bytes of a person filed as a vehicle's do not meet the person's in the index."""
    assert len({SEALER.rekey(KEYS, kind) for kind in KINDS}) == len(KINDS)


def test_pointers_open_to_their_records() -> None:
    """A column of pointers opens in one call to the record ids it was closed with."""
    rekeyed = SEALER.rekey(KEYS, "person")
    records = np.arange(1, 11, dtype=np.int64) << np.int64(58)
    pointers = SEALER.pointers(records, rekeyed)
    assert len(set(pointers.tolist())) == 10
    assert SEALER.open_pointers(pointers.tobytes(), index_keys(rekeyed)).tolist() == records.tolist()


def test_two_rows_of_one_record_have_nothing_in_common() -> None:
    """The pointers of one record under several keys share no half: rows cannot be joined by them."""
    rekeyed = SEALER.rekey(KEYS, "person")
    pointers = SEALER.pointers(np.full(10, 77, dtype=np.int64), rekeyed).tolist()
    halves = {half for pointer in pointers for half in (pointer[:8], pointer[8:])}
    assert len(halves) == 20


def test_a_pointer_under_another_key_or_secret_does_not_open() -> None:
    """A row that was moved, or a database under another secret, is an error and not a wrong record."""
    rekeyed = SEALER.rekey(KEYS, "person")
    pointers = SEALER.pointers(np.arange(10, dtype=np.int64), rekeyed).tobytes()
    with pytest.raises(SealError):
        SEALER.open_pointers(pointers, index_keys(rekeyed)[::-1].copy())
    with pytest.raises(SealError):
        OTHER.open_pointers(pointers, index_keys(rekeyed))


def test_an_envelope_opens_only_for_its_record_and_secret() -> None:
    """Changed bytes, another record's id and another secret are all refused."""
    sealed = SEALER.seal(record_context(5), b"content")
    assert SEALER.unseal(record_context(5), sealed) == b"content"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for sealer, context, content in (
        (SEALER, record_context(6), sealed),
        (OTHER, record_context(5), sealed),
        (SEALER, record_context(5), changed),
        (SEALER, record_context(5), b"short"),
        (SEALER, named_context("hit_1"), sealed),
    ):
        with pytest.raises(SealError):
            sealer.unseal(context, content)


def test_equal_content_seals_differently() -> None:
    """Two envelopes of the same content cannot be told to be equal."""
    assert SEALER.seal(b"a", b"content") != SEALER.seal(b"a", b"content")


def test_a_digest_tells_change_and_nothing_across_contexts() -> None:
    """The same content has the same digest within a context only, and only under the secret."""
    assert SEALER.digest(b"a", b"content") == SEALER.digest(b"a", b"content")
    others = {
        SEALER.digest(b"a", b"Content"),
        SEALER.digest(b"b", b"content"),
        SEALER.digest(b"ac", b"ontent"),
        OTHER.digest(b"a", b"content"),
    }
    assert len(others) == 4
    assert SEALER.digest(b"a", b"content") not in others


def test_wrong_sizes_are_refused() -> None:
    """A short secret and a torn key are programming errors."""
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short")
    with pytest.raises(ValueError, match="blocks of 16"):
        SEALER.rekey(b"torn", "person")
