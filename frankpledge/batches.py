"""An encoded file cut into batches: checked line by line first, so that plain data can never leave by mistake."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from frankpledge import tabular
from frankpledge.columns import BASIS_COLUMNS, CLAIM_COLUMNS
from frankpledge.errors import KitError
from frankpledge.files import open_maybe_gzip
from matching.vocabulary import MAX_LINE_BYTES

BATCH_BYTES = 32 << 20
"""Size of a batch before compression: well under the pool's 64 MiB on the wire, and held in memory."""
FILING_MEMBERS = frozenset(
    {"schema", "fingerprint", "ref", "class", "line", "date", "claim", "basis", "labels", "subjects"}
)
CLAIM_MEMBERS = frozenset(CLAIM_COLUMNS.values())
BASIS_MEMBERS = frozenset(BASIS_COLUMNS.values())
SUBJECT_MEMBERS = frozenset({"kind", "role", "mask", "keys", "observed", "sketches", "facts", "name"})


class NotEncodedError(KitError):
    """A line is not an encoded filing; nothing of the file is sent."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(
            f"Line {line} {reason}. Nothing was sent.", "Submit a file that `frankpledge encode` wrote, whole."
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an encoded file was made with, linkage schema and key, and how many filings it has."""

    schema_id: str
    fingerprint: str
    filings: int


@dataclass(frozen=True, slots=True)
class Payload:
    """One batch: gzipped NDJSON, how many filings, and how many lines of the file come before it."""

    packed: bytes
    filings: int
    lines_before: int

    @property
    def digest(self) -> str:
        """SHA-256 of the content in hexadecimal: within a run, the same content is the same batch."""
        return hashlib.sha256(self.packed).hexdigest()


def check(path: Path) -> Stamp:
    """Read the whole file and make sure that every line is an encoded filing, all under one key and schema.

    Raises NotEncodedError naming the first line that is not, or KitError for an empty file.
    """
    stamps: set[tuple[str, str]] = set()
    count = 0
    if (kind := tabular.format_of(path)) is not None:
        return _check_columns(path, kind)
    for count, line in enumerate(_lines(path), 1):
        stamps.add(_stamp(count, line))
        if len(stamps) > 1:
            raise NotEncodedError(count, "was encoded under another key or schema than the lines before it")
    if not stamps:
        raise KitError(f"{path} holds no filing.", "Encode an extract first: see frankpledge encode --help.")
    return Stamp(*stamps.pop(), count)


def _check_columns(path: Path, kind: str) -> Stamp:
    stamps: set[tuple[str, str]] = set()
    count = 0
    for batch in tabular.batches_of(path, kind):
        count += batch.num_rows
        said = batch.select(["schema", "fingerprint"]).to_pydict()
        if None in said["schema"] or None in said["fingerprint"]:
            raise NotEncodedError(count, "or one before it does not say under which key and schema it was encoded")
        stamps.update(zip(said["schema"], said["fingerprint"], strict=True))
        if len(stamps) > 1:
            raise NotEncodedError(count, "or one before it was encoded under another key or schema than the first")
    if not stamps:
        raise KitError(f"{path} holds no filing.", "Encode an extract first: see frankpledge encode --help.")
    return Stamp(*stamps.pop(), count)


def split(path: Path, size: int = BATCH_BYTES) -> Iterator[Payload]:
    """Cut the file into batches of at most `size` bytes before compression, always at the same places."""
    batch: list[bytes] = []
    held, sent = 0, 0
    for line in _lines(path):
        if batch and held + len(line) > size:
            yield _payload(batch, sent)
            sent += len(batch)
            batch, held = [], 0
        batch.append(line)
        held += len(line)
    if batch:
        yield _payload(batch, sent)


def _payload(batch: list[bytes], before: int) -> Payload:
    # Level 1 without a time stamp: keys are random and barely compress, and equal content must give equal bytes.
    return Payload(gzip.compress(b"".join(batch), 1, mtime=0), len(batch), before)


def _lines(path: Path) -> Iterator[bytes]:
    number = 0
    with open_maybe_gzip(path) as handle:
        try:
            while line := handle.readline(MAX_LINE_BYTES + 2):
                number += 1
                if len(line.rstrip(b"\n")) > MAX_LINE_BYTES:
                    raise NotEncodedError(number, f"is longer than {MAX_LINE_BYTES // 1024} KiB")
                yield line if line.endswith(b"\n") else line + b"\n"
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise NotEncodedError(number + 1, "cannot be inflated: the gzip file is cut off or damaged") from None


def _stamp(number: int, line: bytes) -> tuple[str, str]:
    try:
        filing = orjson.loads(line)
    except orjson.JSONDecodeError:
        filing = None
    if not isinstance(filing, dict) or not filing.keys() <= FILING_MEMBERS:
        raise NotEncodedError(number, "is not an encoded filing")
    claim = filing.get("claim", {})
    if not isinstance(claim, dict) or not claim.keys() <= CLAIM_MEMBERS:
        raise NotEncodedError(number, "has a claim that is not as an encoded filing has it")
    basis = filing.get("basis", {})
    if not isinstance(basis, dict) or not basis.keys() <= BASIS_MEMBERS:
        raise NotEncodedError(number, "has a basis that is not as an encoded filing has it")
    subjects = filing.get("subjects")
    if not isinstance(subjects, list) or not subjects:
        raise NotEncodedError(number, "has no encoded subjects")
    for subject in subjects:
        if not isinstance(subject, dict) or not subject.keys() <= SUBJECT_MEMBERS or "keys" not in subject:
            raise NotEncodedError(number, "has a subject that is not encoded")
    schema_id, fingerprint = filing.get("schema"), filing.get("fingerprint")
    if not isinstance(schema_id, str) or not isinstance(fingerprint, str):
        raise NotEncodedError(number, "does not say under which key and schema it was encoded")
    return schema_id, fingerprint
