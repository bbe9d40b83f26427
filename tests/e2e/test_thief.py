"""The thief's search itself: it finds a person however they are packed, and nothing where there is nothing."""

from __future__ import annotations

import base64
import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from demo.people import Population
from tests.e2e.thief import search, values_of, vocabulary_of, words_of

CANARY = {
    "given_name": "Persephone",
    "family_name": "Featherstone",
    "date_of_birth": "1971-08-30",
    "street": "Quarrington Lane",
    "town": "Leeds",
    "postcode": "LS7 2QX",
    "phone": "0113 496 0123",
    "email": "persephone@post-p.example",
}
WORDS = words_of(CANARY, frozenset())


@pytest.mark.parametrize(
    "spelling",
    [
        b"PERSEPHONE", b"featherstone", b"1971-08-30", b"30/08/1971", b'"19710830"', b"QUARRINGTON LANE",
        b"Leeds LS7 2QX", b"ls72qx", b"+441134960123", b"0113 496 0123", b"Persephone@post-p.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("pack", [bytes, gzip.compress, base64.b64encode, base64.urlsafe_b64encode, bytes.hex])
def test_every_spelling_is_found_however_packed(spelling: bytes, pack: object) -> None:
    """A canary is found in plain bytes, gzip, base64 and hex, in the middle of other things."""
    assert callable(pack)
    packed = pack(b"some text before, " + spelling + b" and some after it")
    packed = packed.encode() if isinstance(packed, str) else packed
    assert search(WORDS, [b'{"x": "' + packed + b'"}'])


def test_a_short_name_is_found_where_it_is_a_whole_text(tmp_path: Path) -> None:
    """Ng, Lee or 2119 inside other text may be chance; as a string of JSON or a cell of a table they are a person."""
    words = words_of({"given_name": "Amy", "family_name": "Lee", "postcode": "2119", "town": "Ryde"}, frozenset())
    assert search(words, [b'{"ref": "x", "name": "Lee"}', b"sleepy 42119"]) == {b"lee"}
    path = tmp_path / "pool.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a TEXT, b TEXT, c INTEGER)")
        connection.execute("INSERT INTO t VALUES ('Amy', '2119', 2119)")
        connection.commit()
    assert search(words, values_of(path)) == {b"amy", b"2119"}


def test_a_name_of_six_letters_counts_by_itself_and_not_inside_an_id() -> None:
    """Jasper in a log line or among bytes is a person; the letters inside a random id, or in mixed case, are not."""
    words = words_of({"given_name": "Jasper"}, frozenset())
    for spelling in (b"jasper", b"JASPER", b"Jasper"):
        assert search(words, [b"received " + spelling + b", row 3"]) == {b"jasper"}
        assert search(words, [b"\x00\xff" + spelling + b"\x01"]) == {b"jasper"}
    assert search(words, [b"hit_01ja2jasper7q0", b"\x00jAsPeR\x00"]) == set()


def test_base64_inside_gzip_is_opened() -> None:
    """An NDJSON body with base64 columns, sent gzipped, is read through both layers."""
    inner = base64.b64encode(b"x" * 30 + b"featherstone" + b"x" * 30)
    assert search(WORDS, [gzip.compress(b'{"sketches": "' + inner + b'"}')]) == {b"featherstone"}


def test_a_word_across_a_block_is_found() -> None:
    """Large pieces are read in blocks, and a word that straddles two of them counts."""
    for shift in (1, 5, 6, 7, 12):
        assert search(WORDS, [b" " * ((1 << 22) - shift) + b"featherstone" + b" " * 99]) == {b"featherstone"}


def test_values_in_a_database_are_found(tmp_path: Path) -> None:
    """A row's text, a row's gzipped blob and the schema are all read."""
    path = tmp_path / "pool.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE filings (reference TEXT, sealed BLOB)")
        connection.execute("INSERT INTO filings VALUES ('Featherstone', ?)", (gzip.compress(b"persephone"),))
        connection.commit()
    assert search(WORDS, values_of(path)) == {b"featherstone", b"persephone"}


def test_noise_spells_nobody() -> None:
    """Megabytes of random bytes, ids, base64 and hex spell none of a thousand people."""
    population = Population(1)
    words = WORDS
    for _ in range(1000):
        words |= words_of(population.person(), frozenset())
    noise = np.random.default_rng(2).bytes(1 << 22)
    text = b'","keys":"'.join(base64.b64encode(noise[at : at + 1440]) for at in range(0, len(noise), 1440))
    ids = base64.b32encode(noise[: 1 << 20]).lower()
    ids = b"\n".join(b"hit_" + ids[at : at + 22] for at in range(0, len(ids), 22))
    assert search(words, [noise, text, ids, noise[: 1 << 18].hex(" ", 16).encode()]) == set()


def test_the_services_own_words_are_no_names() -> None:
    """A name that the service's source uses as a word is not looked for, its bearer's other details are."""
    vocabulary = vocabulary_of([Path(__file__).parents[2] / "matching" / "vocabulary.py"])
    words = words_of({"given_name": "Policyholder", "street": "Collision Lane"}, vocabulary)
    assert words.anywhere == {b"collision lane"}
