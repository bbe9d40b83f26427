"""A Parquet file with single bytes of it changed, read as a batch is: run apart, since a fault may end its process."""

from __future__ import annotations

import io
import random
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

from repository.jobs.lines import StreamError
from repository.jobs.sources import columns
from tests.support.columns import batch_of, parquet
from tests.support.encodings import SCHEMA, filing

_SERVICES: Any = SimpleNamespace(schema=SCHEMA, settings=SimpleNamespace(max_batch_inflated_bytes=1 << 30))
_ZSTD = b"\x15\x0c\x16"  # the number of the codec in a footer, and the type of the field after it


def read(data: bytes) -> str:
    """What becomes of a content: rows, or what was expected."""
    spool: Any = SimpleNamespace(open=lambda _: io.BytesIO(data))
    batch: Any = {"id": "x", "format": "parquet", "lines_done": 0, "bytes_total": len(data), "bytes_done": 0}
    try:
        return (
            f"{sum(rows.num_rows for _, rows in columns(_SERVICES, spool, batch, at_once=3, most=100).groups())} rows"
        )
    except StreamError as error:
        return str(error)


def main(seed: int, times: int) -> None:
    """Change a byte of the footer, some times at random and the codec to many others, and print what came of each."""
    whole = parquet(batch_of([filing(f"P-{number}") for number in range(4)]), compression="zstd")
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    codec = whole.index(_ZSTD, footer) + 1
    drawn = random.Random(seed)  # noqa: S311 - drawn again as it was
    places = [drawn.randrange(footer, len(whole)) for _ in range(times)]
    seen = Counter(read(whole[:codec] + bytes([byte]) + whole[codec + 1 :]) for byte in range(40))
    for place in places:
        seen[read(whole[:place] + drawn.randbytes(1) + whole[place + 1 :])] += 1
    sys.stdout.write(f"{sum(seen.values())} read, whole: {read(whole)}\n")


if __name__ == "__main__":
    main(7, 150)
