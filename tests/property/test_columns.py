"""Filings as columns have the outcome that they have as NDJSON, row by row, in the same words."""

from __future__ import annotations

import base64
import copy
from datetime import date, timedelta
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.vocabulary import BASIS, MAX_LINE_BYTES, MAX_SUBJECTS
from repository.domain.errors import FieldError
from repository.domain.filings import Accepts
from repository.jobs import columnar, layout
from repository.jobs.columnar import OVERLONG, reference_of
from repository.services.batchwork import RowError
from repository.services.encodings import filing_from_json
from repository.services.planning import Numbered
from tests.support.columns import batch_of, raw_batch_of
from tests.support.encodings import FINGERPRINT, SCHEMA, claim, filing, subject
from tests.support.rulebooks import DEFAULT_RULEBOOK

ACCEPTS = Accepts({SCHEMA.id: (FINGERPRINT,)}, frozenset({"motor", "home"}), date(2026, 3, 2), DEFAULT_RULEBOOK)
SUBJECTS = [
    *(subject("ann"), subject("bob", role="witness"), subject("cut", only=range(4))),
    *(subject("car", kind="vehicle", role="insured_vehicle"), subject("firm", kind="organisation", role="garage")),
]
WORDS = ["", "motor", "claim", "person", "2026-03-01", "1899-12-31", "2026-02-30", "2030-01-01", "2026-W01-1", "ff"]
TEXTS = st.one_of(st.none(), st.sampled_from([*WORDS, "F" * 3, "x" * 65, " P-1", "é", "\x00", "y" * 70_000]), st.text())
BLOBS = st.one_of(st.none(), st.binary(max_size=40), st.just(b"k" * 70_000))
FACTS = ("schema", "fingerprint", "ref", "class", "line", "date")


@st.composite
def filings(draw: st.DrawFn) -> dict[str, Any]:
    """A filing, and up to three things wrong with it that columns can say as well."""
    some = draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=3))
    record_class = draw(st.sampled_from(["customer", "claim", "suspected", "victim"]))
    body = copy.deepcopy(filing(f"P-{draw(st.integers(0, 9))}", *some, record_class=record_class))
    for _ in range(draw(st.integers(0, 3))):
        draw(st.sampled_from(BREAKS))(draw, body)
    return body


def _set(holder: dict[str, Any], name: str, value: object) -> None:
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = value


def _fact(draw: st.DrawFn, body: dict[str, Any]) -> None:
    _set(body, draw(st.sampled_from(FACTS)), draw(TEXTS))


def _claim(draw: st.DrawFn, body: dict[str, Any]) -> None:
    body["claim"] = draw(st.sampled_from([{}, claim()])) | {}
    name = draw(st.sampled_from(layout.CLAIM))
    _set(body["claim"], name, draw(st.one_of(TEXTS, st.sampled_from(["2026-02-28", "open", "fire", "1k-5k"]))))


def _basis(draw: st.DrawFn, body: dict[str, Any]) -> None:
    days = st.sampled_from(["2026-02-27", "2026-02-26", "2026-03-09", "2060-02-29", "2099-01-01", "1899-12-31", "x"])
    own = BASIS.get(body.get("class") or "", layout.BASES)
    names = st.sampled_from(own if draw(st.booleans()) else layout.BASES)
    said = draw(st.dictionaries(names, st.one_of(days, st.sampled_from(["quote", "policy"])), max_size=2))
    body["basis"] = said
    if "claim" in body and draw(st.booleans()):
        body["claim"]["status"] = "closed"


def _labels(draw: st.DrawFn, body: dict[str, Any]) -> None:
    names = draw(st.lists(st.sampled_from(["tlp", "source", "information", "code"])))
    body["labels"] = {name: draw(st.sampled_from(["amber", "reliable", "A", "P", "red", "Z"])) for name in names}


def _subjects(draw: st.DrawFn, body: dict[str, Any]) -> None:
    some = body.get("subjects") or [{}]
    body["subjects"] = draw(st.sampled_from([[], some * 2, [*some, None], [{}], some * (MAX_SUBJECTS + 1)]))


def _subject(draw: st.DrawFn, body: dict[str, Any]) -> None:
    holders = [each for each in body.get("subjects") or [] if each]
    if holders:
        _set(holders[0], draw(st.sampled_from(["kind", "role", "mask", "observed", "name"])), draw(TEXTS))


def _blob(draw: st.DrawFn, body: dict[str, Any]) -> None:
    holders = [each for each in body.get("subjects") or [] if each]
    if holders:
        blob = draw(BLOBS)
        name = draw(st.sampled_from(["keys", "sketches"]))
        _set(holders[-1], name, None if blob is None else base64.b64encode(blob).decode())


def _rarity(draw: st.DrawFn, body: dict[str, Any]) -> None:
    holders = [each for each in body.get("subjects") or [] if each]
    if holders:
        names = st.sampled_from(["given_rarity", "family_rarity"])
        holders[0]["facts"] = draw(st.dictionaries(names, st.integers(-1, 257)))


BREAKS = [_fact, _claim, _basis, _basis, _labels, _subjects, _subject, _blob, _rarity]


def as_line(number: int, body: dict[str, Any]) -> Numbered | RowError:
    """What becomes of a filing as a line of NDJSON."""
    line = orjson.dumps(body)
    if len(line) > MAX_LINE_BYTES:
        return RowError(number, None, OVERLONG)
    try:
        return Numbered(number, filing_from_json(orjson.loads(line), SCHEMA, ACCEPTS))
    except FieldError as error:
        return RowError(number, reference_of(orjson.loads(line)), error)


JUNK = st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"motor\xff", b"\xed\xa0\x80", b"\xc3"])).map(
    lambda content: content.decode(errors="surrogateescape")
)
"""Bytes of which most are no text, as text with surrogates."""
DAYS = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(-30_000, 25_000), st.sampled_from([-719_163, 2_932_897]))
NO_TEXT = "text in UTF-8"


def _junk(draw: st.DrawFn, body: dict[str, Any]) -> None:
    """Some bytes in place of a text, wherever the columns have one."""
    holders: list[dict[str, Any]] = [body, body.setdefault("labels", {}), *body["subjects"]]
    names = [FACTS, ("tlp", "source"), *[("kind", "role", "mask", "observed", "name")] * len(body["subjects"])]
    if "claim" in body:
        holders, names = [*holders, body["claim"]], [*names, layout.CLAIM]
    at = draw(st.integers(0, len(holders) - 1))
    name = draw(st.sampled_from(names[at]))
    if not isinstance(holders[at].get(name), int):
        holders[at][name] = draw(JUNK)


@st.composite
def raw_filings(draw: st.DrawFn, dated: bool) -> dict[str, Any]:
    """A filing with up to two texts that may be none, and its date as any number of days."""
    some = draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2))
    body = copy.deepcopy(filing("P-1", *some, record_class=draw(st.sampled_from(["customer", "claim"]))))
    if dated:
        body["date"] = draw(DAYS)
    for _ in range(draw(st.integers(0, 2))):
        _junk(draw, body)
    return body


def is_text(value: Any) -> bool:
    """Whether all of a body is text that JSON can say."""
    if isinstance(value, dict | list):
        return all(map(is_text, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, str) or not any("\udc80" <= each <= "\udcff" for each in value)


def as_said(body: dict[str, Any]) -> dict[str, Any]:
    """A body with its date as text: none that Python has not."""
    if not isinstance(body.get("date"), int):
        return body
    try:
        return body | {"date": (date(1970, 1, 1) + timedelta(days=body["date"])).isoformat()}
    except OverflowError:
        return body | {"date": "no day"}


def told(outcome: Numbered | RowError) -> object:
    """An outcome that compares: errors by what they say."""
    if isinstance(outcome, Numbered):
        return outcome
    return (outcome.row, outcome.reference, outcome.error.field, outcome.error.expected)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=150)
@given(bodies=st.lists(filings(), min_size=1, max_size=5), first=st.integers(1, 1000))
def test_columns_and_lines_have_the_same_outcome(bodies: list[dict[str, Any]], first: int) -> None:
    """Good and broken filings: the same filing comes out, or the same row, reference, field and words."""
    lines = [told(as_line(first + place, body)) for place, body in enumerate(bodies)]
    columns = [told(each) for each in columnar.check(batch_of(bodies), first, SCHEMA, ACCEPTS)]
    assert columns == lines


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=100)
@given(data=st.data(), dated=st.booleans())
def test_what_is_no_text_or_no_day_is_one_bad_row(data: st.DataObject, dated: bool) -> None:
    """Bytes that are not UTF-8 are told at their field, days beyond all years as no dates; other rows have no harm."""
    bodies = data.draw(st.lists(raw_filings(dated), min_size=1, max_size=4))
    found = list(columnar.check(raw_batch_of(bodies), 1, SCHEMA, ACCEPTS))
    for row, (body, outcome) in enumerate(zip(bodies, found, strict=True), 1):
        if is_text(body):
            assert told(outcome) == told(as_line(row, as_said(body)))
        else:
            assert isinstance(outcome, RowError)
            assert (outcome.row, outcome.error.expected) == (row, NO_TEXT)
            assert outcome.reference == (reference_of(body) if is_text(body["ref"]) else None)


def test_good_rows_need_no_closer_look(monkeypatch: Any) -> None:
    """What is wholly right is taken from the columns as it is, at no cost of JSON."""
    monkeypatch.setattr(columnar, "_closely", lambda *_: 1 / 0)
    labelled = filing("P-3", *SUBJECTS, labels={"tlp": "amber"})
    bodies = [filing("P-1"), filing("P-2", record_class="claim"), labelled]
    found = list(columnar.check(batch_of(bodies), 1, SCHEMA, ACCEPTS))
    assert [each.row for each in found] == [1, 2, 3]
