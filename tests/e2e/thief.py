"""A thief's search: whether anything in files, logs and recorded traffic spells a person.

The thief ignores case, unpacks what is packed (gzip, base64, hex), reads every value of every table, and looks for
names, street lines, postcodes, dates of birth, phone numbers and mailboxes in their usual spellings. Only what is long
enough to be no accident counts. Words of six and seven characters count where they stand by themselves, in small
letters, capitals or with a capital first: inside random ids of 32 symbols one of a thousand short names stands about
once in a million places. Shorter names, and postcodes of four digits, count where they are a whole text: a cell of a
table, or a string in JSON.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHORTEST = 6  # characters of the shortest word looked for anywhere
SURE = 8  # characters from which a word counts inside others, however spelled
SHORTEST_WHOLE = 3  # characters of the shortest name looked for as a whole text
GZIP = b"\x1f\x8b\x08"
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
_HEX_RUN = re.compile(rb"[0-9A-Fa-f]{24,}")
# Random letters of this length spell short names by chance; they are searched in decoded form.
_LONG_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{120,}={0,2}")
_QUOTED = re.compile(rb'"([^"\\]{3,60})"')
# Whole numbers only: among a hundred thousand random 19-digit keys, ten digits in a row are somebody's telephone.
_NUMBER = re.compile(rb"(?<![0-9a-z.])[0-9]{7,13}(?![0-9a-z])")


@dataclass(frozen=True)
class Words:
    """What to look for, lower case: `anywhere` inside other text, `alone` as a whole number, `whole` between quotes."""

    anywhere: frozenset[bytes]
    alone: frozenset[bytes]
    whole: frozenset[bytes]

    def __or__(self, other: Words) -> Words:
        return Words(self.anywhere | other.anywhere, self.alone | other.alone, self.whole | other.whole)


def words_of(person: Mapping[str, str], vocabulary: frozenset[str]) -> Words:
    """Return the spellings that would betray one person; a name that is a word of the service itself does not.

    A name within such a word (Candida in `candidates`) betrays only where it stands by itself.
    """
    town, postcode = person.get("town", ""), person.get("postcode", "")
    names = [person.get(column, "") for column in ("given_name", "family_name")]
    names = [name for name in names if name.lower() not in vocabulary]
    lines = [person.get("street", ""), f"{town} {postcode}", f"{town},{postcode}", person.get("email", "")]
    if any(letter.isalpha() for letter in postcode):
        lines += [postcode, postcode.replace(" ", "")]
    dates, compact = _dates(person.get("date_of_birth", ""))
    phone = person.get("phone", "").removeprefix("+44 ").removeprefix("0")
    apart = [name for name in names if not any(name.lower() in word for word in vocabulary)]
    found = [*apart, *lines, *dates, *([phone] if " " in phone else ())]
    digits = phone.replace(" ", "")
    numbers = [*compact, person.get("national_id", ""), *(f"{code}{digits}" for code in ("", "0", "44") if digits)]
    return Words(
        frozenset(word.lower().encode() for word in found if len(word) >= SHORTEST),
        frozenset(word.encode() for word in numbers if 7 <= len(word) <= 13),
        frozenset(word.lower().encode() for word in (*names, postcode, town) if len(word) >= SHORTEST_WHOLE),
    )


def _dates(iso: str) -> tuple[list[str], list[str]]:
    """Return the spellings of a date with separators, and those without."""
    parts = iso.split("-")
    if len(parts) != 3:
        return [], []
    forwards, backwards, american = parts, parts[::-1], [parts[1], parts[2], parts[0]]
    orders = (forwards, backwards, american)
    return [mark.join(order) for order in orders for mark in "-/."], ["".join(order) for order in orders]


def vocabulary_of(sources: Iterable[Path]) -> frozenset[str]:
    """Return the words that the service's own source text uses, lower case."""
    return frozenset(
        word for path in sources for word in re.findall(r"[a-z]+", path.read_text(encoding="utf-8").lower())
    )


def values_of(database: Path) -> Iterator[bytes]:
    """Yield every value of every table of a SQLite file, as bytes, and the schema itself."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        for name, sql in tables:
            yield f"{name}\n{sql}".encode()
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                yield from (value for value in row if isinstance(value, bytes))
                yield "\n".join(_cell(value) for value in row if not isinstance(value, bytes)).encode()


def _cell(value: object) -> str:
    """A value as text; texts in quotes, as JSON has them, so that a whole one can be told."""
    return f'"{value}"' if isinstance(value, str) else str(value)


def search(words: Words, loot: Iterable[bytes]) -> set[bytes]:
    """Return the words found in any piece of the loot, after unpacking each."""
    index = _Index(words.anywhere)
    found: set[bytes] = set()
    for piece in loot:
        for text in unpacked(piece):
            lower = text.lower()
            found |= index.find(_LONG_BASE64_RUN.sub(b" ", text))
            found |= set(_NUMBER.findall(lower)) & words.alone
            if _is_text(text):
                found |= set(_QUOTED.findall(lower)) & words.whole
    return found


def _is_text(piece: bytes) -> bool:
    """Whether bytes are text: between random quotes a name of three letters stands by chance soon enough."""
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def unpacked(piece: bytes) -> Iterator[bytes]:
    """Yield the piece itself and, one layer deep each, what is gzipped, base64 or hex in it."""
    layers = [piece, *_inflated(piece)]
    for layer in layers:
        yield layer
        yield b"\n".join(_decoded(layer))


def _inflated(piece: bytes) -> Iterator[bytes]:
    at = piece.find(GZIP)
    while at >= 0:
        with suppress(zlib.error):  # three bytes may only look like the start of a gzip member
            yield zlib.decompressobj(wbits=31).decompress(piece[at:])
        at = piece.find(GZIP, at + 1)


def _decoded(layer: bytes) -> Iterator[bytes]:
    for run in _BASE64_RUN.findall(layer):
        whole = run[: len(run) - len(run) % 4]
        yield base64.b64decode(whole, altchars=b"-_" if b"-" in whole or b"_" in whole else None)
    for run in _HEX_RUN.findall(layer):
        yield binascii.unhexlify(run[: len(run) - len(run) % 2])


class _Index:
    """Finds any of thousands of words in megabytes of bytes: first by the six leading bytes, all positions at once."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._by_prefix: dict[int, list[bytes]] = defaultdict(list)
        for word in words:
            self._by_prefix[int.from_bytes(word[:SHORTEST], "big")].append(word)
        self._prefixes = np.array(sorted(self._by_prefix), dtype=np.uint64)
        self._starts = np.zeros(1 << 24, dtype=bool)
        self._starts[self._prefixes >> np.uint64(24)] = True

    def find(self, text: bytes) -> set[bytes]:
        """Return the words that occur in the text."""
        found: set[bytes] = set()
        step = 1 << 22
        for start in range(0, len(text), step):
            piece = text[start : start + step + 64]
            found |= {word for at, word in self._places(piece.lower()) if len(word) >= SURE or _apart(piece, at, word)}
        return found

    def _places(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        if len(text) < SHORTEST:
            return
        codes = np.frombuffer(text, dtype=np.uint8).astype(np.uint32)
        triples = (codes[:-2] << 16) | (codes[1:-1] << 8) | codes[2:]
        places = np.flatnonzero(self._starts[triples[: len(text) - SHORTEST + 1]])
        heads = (triples[places].astype(np.uint64) << np.uint64(24)) | triples[places + 3]
        places = places[np.isin(heads, self._prefixes)]
        for at in places.tolist():
            prefix = int.from_bytes(text[at : at + SHORTEST], "big")
            yield from ((at, word) for word in self._by_prefix[prefix] if text.startswith(word, at))


def _apart(text: bytes, at: int, word: bytes) -> bool:
    """Whether a word stands by itself at a place, written as people write."""
    end = at + len(word)
    around = text[max(at - 1, 0) : at] + text[end : end + 1]
    return text[at:end] in {word, word.upper(), word.title()} and not re.search(rb"[0-9A-Za-z]", around)
