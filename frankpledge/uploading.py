"""Sending one file whole: at once, or in pieces when it is large, going on where a cut connection left it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from frankpledge.client import Pool
from frankpledge.errors import KitError
from frankpledge.results import Batch, Upload

LARGE_BYTES = 32 << 20
"""A file of more is sent in pieces: the pool takes 64 MiB at once at most."""
PIECE_BYTES = 8 << 20
STANDSTILLS = 8
"""Pieces in a row that may get the upload no further before it is given up; run again, it goes on."""


def key_of(run: str, digest: str, *, dry_run: bool) -> str:
    """The idempotency key of a content in a run."""
    # A dry run is a request of its own: under the same key the pool would rightly call it another content.
    return f"{run}-{digest}" + ("-dry" if dry_run else "")


def send_file(pool: Pool, path: Path, kind: str, *, run: str, dry_run: bool, seen: Callable[[int, int], None]) -> Batch:
    """Upload a file of columns as one batch; `seen` is told how many bytes the pool has, and of how many.

    Raises KitError, when the file changes meanwhile, or PoolError.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    key = key_of(run, digest, dry_run=dry_run)
    if size <= LARGE_BYTES:
        return pool.upload(path.read_bytes(), idempotency_key=key, dry_run=dry_run, format=kind)
    announced = {"length": size, "sha256": digest, "format": kind, "dry_run": dry_run}
    upload = _pieces(pool, path, pool.begin_upload(announced, idempotency_key=key), seen)
    if upload.batch is None:
        raise KitError("The pool has the whole file, and made no batch of it.", "Run it again.")
    return pool.batch(upload.batch)


def _pieces(pool: Pool, path: Path, upload: Upload, seen: Callable[[int, int], None]) -> Upload:
    standstills = 0
    with path.open("rb") as file:
        while upload.batch is None and standstills < STANDSTILLS:
            seen(upload.offset, upload.length)
            file.seek(upload.offset)
            piece = file.read(PIECE_BYTES)
            if not piece and upload.offset < upload.length:
                raise KitError(f"{path} changed while it was sent.", "Run it again.")
            before, upload = upload.offset, pool.upload_piece(upload, piece)
            standstills = 0 if upload.offset > before else standstills + 1
    return upload
