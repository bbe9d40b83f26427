"""An encoded file, checked and cut."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from frankpledge.batches import NotEncodedError, Stamp, check, split
from frankpledge.errors import KitError
from tests.unit.frankpledge.fakes import KEY, encoded_line


def write(tmp_path: Path, *lines: bytes) -> Path:
    """Write lines to a file."""
    path = tmp_path / "out.ndjson"
    path.write_bytes(b"".join(lines))
    return path


def test_a_good_file_is_stamped(tmp_path: Path) -> None:
    """Schema, fingerprint and count are known before anything is sent."""
    path = write(tmp_path, *(encoded_line(f"P-{n}") for n in range(5)))
    assert check(path) == Stamp("guarded/1", KEY.fingerprint, 5)


def test_a_gzipped_file_is_the_same(tmp_path: Path) -> None:
    """The output of --gzip is read whatever its name."""
    path = write(tmp_path, gzip.compress(encoded_line("P-1")))
    assert check(path).filings == 1
    assert gzip.decompress(next(split(path)).packed).count(b"\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        b"ref,family_name\n",
        b"\xff\n",
        b"[]\n",
        b"\n",
        orjson.dumps({"ref": "P-1", "family_name": "Doe"}) + b"\n",
        encoded_line("P-2", email="doe@example.com"),
        encoded_line("P-2", subjects=[]),
        encoded_line("P-2", subjects=[{"kind": "person", "role": "driver", "family_name": "Doe"}]),
        encoded_line("P-2", subjects=[{"kind": "person", "keys": "", "postcode": "WR9 0AE"}]),
        encoded_line("P-2", subjects=["Doe"]),
        encoded_line("P-2", claim={"witness": "Doe"}),
        encoded_line("P-2", claim="Doe"),
        encoded_line("P-2", schema=None),
        encoded_line("P-2", fingerprint="0" * 16),
    ],
)
def test_anything_plain_is_refused_before_it_leaves(tmp_path: Path, line: bytes) -> None:
    """A raw extract, or an encoded line with a plain field in it, is named by line and never sent."""
    with pytest.raises(NotEncodedError, match=r"Line 2 .*Nothing was sent") as caught:
        check(write(tmp_path, encoded_line("P-1"), line))
    assert "Doe" not in str(caught.value)


def test_an_endless_line_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    """A line over 64 KiB is refused as soon as that much of it was read."""
    with pytest.raises(NotEncodedError, match="longer than 64 KiB"):
        check(write(tmp_path, b"x" * (10 << 20)))


@pytest.mark.parametrize("cut", [-1, -9, 12])
def test_a_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    """A compressed file that lost its end is noticed before anything is sent."""
    packed = gzip.compress(b"".join(encoded_line(f"P-{n}") for n in range(100)))
    with pytest.raises(NotEncodedError, match="cut off or damaged"):
        check(write(tmp_path, packed[:cut]))


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    """Bytes changed inside a compressed file are noticed."""
    packed = bytearray(gzip.compress(b"".join(encoded_line(f"P-{n}", 1000) for n in range(100))))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(NotEncodedError):
        check(write(tmp_path, bytes(packed)))


def test_an_empty_file_is_explained(tmp_path: Path) -> None:
    """There is nothing to submit."""
    with pytest.raises(KitError, match="holds no filing"):
        check(write(tmp_path))


def test_batches_hold_every_line_once(tmp_path: Path) -> None:
    """Cut by size, in order, none lost, none split; each knows where it begins."""
    lines = [encoded_line(f"P-{n}", 500) for n in range(40)]
    path = write(tmp_path, *lines[:-1], lines[-1].rstrip())
    payloads = list(split(path, 5000))
    unpacked = [gzip.decompress(payload.packed) for payload in payloads]
    assert b"".join(unpacked) == b"".join(lines)
    assert all(len(data) <= 5000 for data in unpacked)
    assert [payload.lines_before for payload in payloads] == [
        sum(payload.filings for payload in payloads[:n]) for n in range(len(payloads))
    ]


def test_the_digest_follows_from_the_content(tmp_path: Path) -> None:
    """Cut again, the same file gives the same keys; another content gives another, and all fit a header."""
    lines = [encoded_line(f"P-{n}", 500) for n in range(10)]
    first = [payload.digest for payload in split(write(tmp_path, *lines), 3000)]
    again = [payload.digest for payload in split(write(tmp_path, *lines), 3000)]
    changed = [payload.digest for payload in split(write(tmp_path, *lines[:-1], encoded_line("P-9", 500)), 3000)]
    assert first == again
    assert len(set(first)) == len(first) > 1
    assert changed[:-1] == first[:-1]
    assert changed[-1] != first[-1]
    assert all(len(key) <= 100 and key.isascii() for key in first)
