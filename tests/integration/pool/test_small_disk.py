"""A real disk that is full, where one may be mounted: the spool on it, with SQLite's file or PostgreSQL's index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from repository.settings import Settings
from tests.integration.pool.conftest import Desk
from tests.integration.pool.test_full_disk import ROWS, check_that_it_goes_on, check_that_it_waits
from tests.support import disks
from tests.support.clock import FakeClock
from tests.support.disks import Disk
from tests.support.encodings import ndjson

_OWN_PLACE = ("TABLE key_index", "INDEX ix_key_index_key")


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A small disk."""
    with disks.small() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, disk: Disk, store: str) -> Iterator[Settings]:
    """Settings of an installation on the small disk."""
    made = replace(settings, data_dir=disk.path)
    url = make_url(settings.database_url)
    if store == "sqlite":
        there = disk.path / "frankpledge.db"
        there.write_bytes(Path(url.database or "").read_bytes())
        yield replace(made, database_url=f"sqlite:///{there}")
        return
    sockets = url.query.get("host")
    if not isinstance(sockets, str) or not Path(sockets).is_dir():
        pytest.skip("the server is not one of this machine, whose disk could be full")
    place = disk.path / "tables"
    place.mkdir(mode=0o700)
    owner = Path(sockets).stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        for each in _OWN_PLACE:
            connection.execute(f"ALTER {each} SET TABLESPACE small")
        yield made
        for each in _OWN_PLACE:
            connection.execute(f"ALTER {each} SET TABLESPACE pg_default")
        connection.execute("DROP TABLESPACE small")


def test_a_full_disk_loses_nothing(alpha: Desk, disk: Disk, clock: FakeClock) -> None:
    """What was acknowledged waits, what comes then is refused with 507; both are taken in once there is room."""
    received = alpha.upload(ndjson(ROWS[:-1]))
    disk.fill()
    refused = alpha.upload(ndjson(ROWS[-1:]), "key-2", status=507)
    assert refused["type"].endswith("/no-space")
    check_that_it_waits(alpha, clock, received["id"])
    disk.free()
    again = alpha.upload(ndjson(ROWS[-1:]), "key-2")
    check_that_it_goes_on(alpha, clock, [received["id"], again["id"]], len(ROWS))
