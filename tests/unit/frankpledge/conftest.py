"""A pool in memory for every test of the kit that needs one."""

from __future__ import annotations

import httpx
import pytest

from frankpledge.client import Pool
from frankpledge.records import RecordEncoder
from frankpledge.session import Retry
from tests.unit.frankpledge.fakes import CREDENTIALS, KEY, FakePool, HashEncoder


@pytest.fixture
def fake() -> FakePool:
    """A pool in memory."""
    return FakePool()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were waited between attempts."""
    return []


@pytest.fixture
def pool(fake: FakePool, waits: list[float]) -> Pool:
    """A client of the pool in memory that waits in no time, always the longest."""
    retry = Retry(attempts=4, sleep=waits.append, draw=lambda _, high: high)
    return Pool("https://pool.example", CREDENTIALS, retry=retry, transport=httpx.MockTransport(fake))


@pytest.fixture
def encoder() -> RecordEncoder:
    """A record encoder that is fast."""
    return RecordEncoder(HashEncoder(), schema_id="guarded/1", fingerprint=KEY.fingerprint)
