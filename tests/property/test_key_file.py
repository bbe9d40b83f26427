"""Key files: what goes in comes out, and nothing else does."""

from __future__ import annotations

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from frankpledge import keys, protection
from frankpledge.errors import KitError
from frankpledge.keys import LinkageKey

CHEAP = protection.Cost(memory_kib=8, iterations=1, lanes=1)

linkage_keys = st.builds(LinkageKey, st.binary(min_size=32, max_size=32), st.integers(1, 2**31))


@given(linkage_keys)
def test_plain_files_round_trip(key: LinkageKey) -> None:
    """Every key survives being written and read."""
    assert keys.parse(keys.dump(key)) == key


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1), st.binary())
@settings(max_examples=30, deadline=None)
def test_sealing_round_trips(secret: bytes, passphrase: str, header: bytes) -> None:
    """Every secret survives any passphrase that can be typed, including non-ASCII ones."""
    sealed = orjson.loads(orjson.dumps(protection.seal(secret, passphrase, header, CHEAP)))
    assert protection.open_sealed(sealed, passphrase, header) == secret


@given(linkage_keys, st.data())
def test_truncated_files_are_refused(key: LinkageKey, data: st.DataObject) -> None:
    """A key file that lost its end is never taken for a key."""
    whole = keys.dump(key).rstrip()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    _refuses(cut)


@given(st.binary(max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    """Arbitrary bytes are refused with an explanation, never with a crash."""
    _refuses(garbage)


def _refuses(data: bytes) -> None:
    try:
        keys.parse(data)
    except KitError:
        return
    raise AssertionError("accepted")
