"""A large file of columns in pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from frankpledge import uploading
from frankpledge.batches import Stamp
from frankpledge.cli import submitting
from frankpledge.progress import Meter
from frankpledge.results import Upload


class Pieces:
    """A pool that takes uploads, and of each second piece nothing."""

    def __init__(self) -> None:
        self.asked = 0

    def begin_upload(self, announced: dict[str, Any], *, idempotency_key: str) -> Upload:
        """Announce an upload."""
        assert idempotency_key
        return Upload("upl_1", announced["length"], 0, None)

    def upload_piece(self, upload: Upload, piece: bytes) -> Upload:
        """Take a piece, or not."""
        self.asked += 1
        there = upload.offset + (len(piece) if self.asked % 2 else 0)
        return replace(upload, offset=there, batch="bat_1" if there == upload.length else None)

    def batch(self, batch_id: str) -> str:
        """What became of the upload."""
        return batch_id


def test_the_bar_of_submit_moves_with_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filings are shown by the share of the bytes that is there."""
    monkeypatch.setattr(uploading, "LARGE_BYTES", 10)
    monkeypatch.setattr(uploading, "PIECE_BYTES", 50)
    path = tmp_path / "out.parquet"
    path.write_bytes(bytes(100))
    moved: list[int] = []
    monkeypatch.setattr(Meter, "advance_to", lambda _, position, __: moved.append(position))
    pool: Any = Pieces()
    submitting._upload(pool, path, Stamp("guarded/1", "f", 8), "r1", dry_run=False)
    assert moved == [0, 4, 4, 8]
