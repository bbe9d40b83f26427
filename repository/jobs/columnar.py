"""Filings from columns: a whole column is checked at once, and masks say which rows need a closer look.

A row that no mask is against becomes a filing as it is. Any other is written as the JSON it would be, and read like a
line of NDJSON: so both formats have one set of rules, in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped] # pyarrow ships no types

from matching.schema import LinkageSchema
from matching.types import KEY_BYTES, KINDS, EncodedSubject
from matching.vocabulary import (
    AMOUNT_BANDS,
    BASIS,
    CLAIM_KINDS,
    CLAIM_STATUSES,
    CUSTOMER_KINDS,
    LABELS,
    LINES,
    MAX_LINE_BYTES,
    MAX_SUBJECTS,
    RECORD_CLASSES,
    ROLES,
)
from matching.wire import FACTS, MAX_FACT, MAX_NAME_LENGTH
from repository.domain.errors import FieldError
from repository.domain.filings import (
    EARLIEST,
    LATEST_END_DAYS,
    UNSTATED,
    Accepts,
    Claim,
    Filing,
    FilingFacts,
    StatedBasis,
    reference_from_json,
)
from repository.domain.labels import UNLABELLED, Labels
from repository.jobs import layout
from repository.services.batchwork import RowError
from repository.services.encodings import filing_from_json
from repository.services.planning import Numbered

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

OVERLONG = FieldError("(record)", f"a line of at most {MAX_LINE_BYTES} bytes")
_FACT_BYTES, _SUBJECT_BYTES = 1_500, 400  # at least what a filing and a subject take as JSON, short of the bytes in it
_NOT_A_DAY = -1


def check(batch: Any, first_row: int, schema: LinkageSchema, accepts: Accepts) -> Iterator[Numbered | RowError]:
    """Each row of a record batch, whose columns are known ones: a filing, or what is wrong with it."""
    facts = _Facts.of(batch, schema, accepts)
    subjects = _Subjects.of(layout.column(batch, "subjects"), batch.num_rows, schema)
    good = facts.good & subjects.good
    for row in range(batch.num_rows):
        number = first_row + row
        if good[row]:
            yield Numbered(number, Filing(facts.at(row), subjects.at(row)))
        else:
            one = batch.slice(row, 1)
            huge = subjects.is_huge(row) or _text_bytes(one) > MAX_LINE_BYTES
            yield RowError(number, None, OVERLONG) if huge else _closely(one, number, schema, accepts)


def reference_of(parsed: object) -> str | None:
    """The reference of a refused row, where it is one, so that its sender finds the row."""
    if not isinstance(parsed, dict):
        return None
    try:
        return reference_from_json(parsed, "ref")
    except FieldError:
        return None


def _closely(batch: Any, number: int, schema: LinkageSchema, accepts: Accepts) -> Numbered | RowError:
    """Read a record batch of one row as a line of NDJSON is read."""
    values = {name: column[0] for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    values = {name: value for name, value in values.items() if value.is_valid}
    try:
        body = {name: layout.as_json(value, name) for name, value in values.items()}
    except FieldError as error:
        return RowError(number, _reference_in(values), error)
    if len(orjson.dumps(body)) > MAX_LINE_BYTES:
        return RowError(number, None, OVERLONG)
    try:
        return Numbered(number, filing_from_json(body, schema, accepts))
    except FieldError as error:
        return RowError(number, reference_of(body), error)


def _reference_in(values: Mapping[str, Any]) -> str | None:
    try:
        return reference_of({name: layout.as_json(value, name) for name, value in values.items() if name == "ref"})
    except FieldError:
        return None


def _text_bytes(batch: Any) -> int:
    """Bytes of the facts of a record batch of one row; its subjects are weighed before."""
    size = 0
    for name, shape in layout.COLUMNS.items():
        if name == "subjects":
            continue
        column = layout.column(batch, name)
        parts = layout.members(column, shape).values() if shape.members else (column,)
        size += sum(pc.sum(pc.binary_length(part)).as_py() or 0 for part in parts)
    return size


@dataclass(frozen=True, slots=True)
class _Facts:
    """The columns of the facts as lists, and which rows have good ones."""

    good: Bools
    columns: dict[str, list[Any]]
    claims: dict[str, list[Any]]
    labels: dict[str, list[Any]]
    bases: dict[str, list[Any]]
    without_claim: Bools

    @classmethod
    def of(cls, batch: Any, schema: LinkageSchema, accepts: Accepts) -> _Facts:
        names = [name for name in layout.COLUMNS if name != "subjects"]
        arrays = {name: layout.column(batch, name) for name in names}
        claims = layout.members(arrays.pop("claim"), layout.COLUMNS["claim"])
        labels = layout.members(arrays.pop("labels"), layout.COLUMNS["labels"])
        bases = layout.members(arrays.pop("basis"), layout.COLUMNS["basis"])
        without = _nulls(layout.column(batch, "claim"))
        known = tuple(accepts.fingerprints.get(schema.id, ()))
        classes = _mapped(arrays["class"], _place_in(RECORD_CLASSES))
        good = (
            _all(arrays["schema"], lambda word: word == schema.id and word in accepts.fingerprints)
            & _all(arrays["fingerprint"], lambda word: word in known and _is_hex(word))
            & (classes >= 0)
            & _all(arrays["line"], lambda word: word in LINES and word in accepts.lines)
            & _all(arrays["ref"], _is_reference)
            & _days_good(arrays["date"], classes, accepts)
            & _claims_good(claims, without, classes, accepts)
            & _bases_good(bases, claims, classes, accepts)
        )
        for name, array in labels.items():
            good &= _all(array, LABELS[name].__contains__) | _nulls(array)
        return cls(
            good,
            {name: array.to_pylist() for name, array in arrays.items()},
            {name: array.to_pylist() for name, array in claims.items()},
            {name: array.to_pylist() for name, array in labels.items()},
            {name: array.to_pylist() for name, array in bases.items() if array.null_count < len(array)},
            without,
        )

    def at(self, row: int) -> FilingFacts:
        """The facts of a good row."""
        own = {name: values[row] for name, values in self.columns.items()}
        words = {name: values[row] for name, values in self.labels.items()}
        return FilingFacts(
            schema_id=own["schema"],
            fingerprint=own["fingerprint"],
            reference=own["ref"],
            record_class=own["class"],
            line=own["line"],
            triggered_on=date.fromisoformat(own["date"]),
            claim=None if self.without_claim[row] else self._claim(row),
            labels=Labels(**words) if any(words.values()) else UNLABELLED,
            basis=self._basis(row) if self.bases else UNSTATED,
        )

    def _basis(self, row: int) -> StatedBasis:
        said = {name: values[row] for name, values in self.bases.items() if values[row] is not None}
        kind = "policy" if "policy_end" in said else said.pop("customer_kind", None)
        day = next((value for name, value in said.items() if name != "customer_kind"), None)
        return StatedBasis(kind, None if day is None else date.fromisoformat(day))

    def _claim(self, row: int) -> Claim:
        incident, notified, kind, amount_band, status = (self.claims[name][row] for name in layout.CLAIM)
        return Claim(date.fromisoformat(incident), date.fromisoformat(notified), kind, amount_band, status)


def _days_good(days: Any, classes: Integers, accepts: Accepts) -> Bools:
    ahead = accepts.rulebook.filing
    latest = [
        (accepts.today + timedelta(days=ahead.future_days.get(name, ahead.clock_skew_days))).toordinal()
        for name in RECORD_CLASSES
    ]
    ordinals = _mapped(days, _ordinal)
    good: Bools = (ordinals >= EARLIEST.toordinal()) & (ordinals <= np.array(latest)[classes])
    return good


def _claims_good(claims: dict[str, Any], without: Bools, classes: Integers, accepts: Accepts) -> Bools:
    latest = (accepts.today + timedelta(days=accepts.rulebook.filing.clock_skew_days)).toordinal()
    incident, notified = (_mapped(claims[name], _ordinal) for name in ("incident_date", "notification_date"))
    whole: Bools = (
        (incident >= EARLIEST.toordinal())
        & (incident <= notified)
        & (notified <= latest)
        & _all(claims["kind"], lambda word: word in CLAIM_KINDS)
        & _all(claims["status"], lambda word: word in CLAIM_STATUSES)
        & (_all(claims["amount_band"], lambda word: word in AMOUNT_BANDS) | _nulls(claims["amount_band"]))
    )
    is_claim = classes == RECORD_CLASSES.index("claim")
    return np.where(is_claim, whole & ~without, without)


def _bases_good(bases: dict[str, Any], claims: dict[str, Any], classes: Integers, accepts: Accepts) -> Bools:
    """Which rows say nothing of the day they are kept from, or only what belongs to their class."""
    good = np.ones(len(classes), bool)
    soon = (accepts.today + timedelta(days=accepts.rulebook.filing.clock_skew_days)).toordinal()
    for record_class, names in BASIS.items():
        for name in names:
            array = bases[name]
            if array.null_count == len(array):
                continue
            fits = classes == RECORD_CLASSES.index(record_class)
            if name == "customer_kind":
                fits &= _all(array, CUSTOMER_KINDS.__contains__)
            else:
                latest = accepts.today.toordinal() + LATEST_END_DAYS if name == "policy_end" else soon
                ordinals = _mapped(array, _ordinal)
                fits &= (ordinals >= EARLIEST.toordinal()) & (ordinals <= latest)
                if record_class == "customer":
                    fits &= ~_all(bases["customer_kind"], lambda word: word == "quote")
                if record_class == "claim":
                    fits &= ordinals >= _mapped(claims["notification_date"], _ordinal)
                    fits &= ~_all(claims["status"], lambda word: word == "open")
            good &= fits | _nulls(array)
    return good


@dataclass(frozen=True, slots=True)
class _Subjects:
    """The subjects of all rows one after the other; those of row i are from `starts[i]` to `starts[i + 1]`."""

    good: Bools
    starts: Integers
    sizes: Integers
    made: tuple[list[Any], ...]

    @classmethod
    def of(cls, array: Any, rows: int, schema: LinkageSchema) -> _Subjects:
        if pa.types.is_null(array.type):
            return cls(np.zeros(rows, bool), np.zeros(rows + 1, np.int64), np.zeros(1, np.int64), ())
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        starts = np.concatenate(([0], np.cumsum(lengths)))
        flat = array.flatten()
        columns = layout.members(flat, layout.COLUMNS["subjects"])
        facts = layout.members(columns.pop("facts"), dict(layout.COLUMNS["subjects"].members)["facts"])
        checked, masks, observed = _subjects_good(columns, facts, schema)
        checked &= ~_nulls(flat)
        sizes = np.concatenate(([0], np.cumsum(_sizes(columns))))
        bad = np.concatenate(([0], np.cumsum(~checked)))
        good = (lengths > 0) & (lengths <= MAX_SUBJECTS) & (bad[starts[1:]] == bad[starts[:-1]])
        # What is surely no longer than a line needs no closer look: base64 takes a third more, escapes six times.
        good &= (sizes[starts[1:]] - sizes[starts[:-1]]) + _FACT_BYTES <= MAX_LINE_BYTES
        made = (
            *(columns[name].to_pylist() for name in ("kind", "role", "keys", "sketches", "name")),
            *(masks, observed),
            *(facts[name].to_pylist() for name in FACTS),
        )
        return cls(good, starts, sizes, made)

    def is_huge(self, row: int) -> bool:
        """Whether a row's subjects are longer than any line, however they are written."""
        first, last = self.starts[row], self.starts[row + 1]
        count = int(last - first)
        least = (int(self.sizes[last] - self.sizes[first]) - count * _SUBJECT_BYTES) // 6
        return count > MAX_LINE_BYTES // 3 or least > MAX_LINE_BYTES

    def at(self, row: int) -> tuple[EncodedSubject, ...]:
        """The subjects of a good row."""
        kinds, roles, keys, sketches, names, masks, observed, *facts = self.made
        found = []
        for place in range(self.starts[row], self.starts[row + 1]):
            known = {name: each[place] for name, each in zip(FACTS, facts, strict=True) if each[place] is not None}
            found.append(
                EncodedSubject(
                    kinds[place],
                    roles[place],
                    masks[place],
                    keys[place],
                    observed[place],
                    sketches[place] or b"",
                    known,
                    names[place],
                )
            )
        return tuple(found)


def _sizes(columns: dict[str, Any]) -> Integers:
    """What each subject takes as JSON, at most."""
    size = sum(6 * pc.fill_null(pc.binary_length(array), 0).to_numpy(zero_copy_only=False) for array in _texts(columns))
    size = size + sum(
        4 * (pc.fill_null(pc.binary_length(columns[name]), 0).to_numpy(zero_copy_only=False) // 3 + 1)
        for name in ("keys", "sketches")
    )
    return np.asarray(size + _SUBJECT_BYTES, np.int64)


def _texts(columns: dict[str, Any]) -> list[Any]:
    return [columns[name] for name in ("kind", "role", "mask", "observed", "name")]


def _subjects_good(
    columns: dict[str, Any], facts: dict[str, Any], schema: LinkageSchema
) -> tuple[Bools, list[int], list[int]]:
    """Which subjects are good, and their masks and observed fields as numbers."""
    kinds = _mapped(columns["kind"], _place_in(KINDS))
    allowed = _mapped(columns["role"], lambda role: sum((role in ROLES[kind]) << at for at, kind in enumerate(KINDS)))
    good = (kinds >= 0) & (((np.maximum(allowed, 0) >> np.maximum(kinds, 0)) & 1) == 1)
    keys, blocks = np.full(len(kinds), -1, np.int64), np.full(len(kinds), -1, np.int64)
    observed_good = np.zeros(len(kinds), bool)
    masks, observed = [_bits(text) for text in columns["mask"].to_pylist()], columns["observed"].to_pylist()
    seen = [_bits(text) for text in observed]
    for at, kind in enumerate(KINDS):
        spec = schema.kinds[kind]
        places = np.flatnonzero(kinds == at)
        sized = {
            mask: (KEY_BYTES * mask.bit_count(), spec.block_size * (mask & spec.anchor_mask).bit_count())
            for mask in {masks[place] for place in places}
            if mask is not None and mask > 0 and not mask >> len(spec.keys)
        }
        widths = {"mask": (len(spec.keys) + 3) // 4, "observed": (len(spec.sketch) + 3) // 4}
        texts = columns["mask"].to_pylist()
        for place in places:
            mask = masks[place]
            if mask in sized and len(texts[place]) <= widths["mask"]:
                keys[place], blocks[place] = sized[mask]
            bits = seen[place]
            fits = bits is not None and not bits >> len(spec.sketch) and len(observed[place]) <= widths["observed"]
            observed_good[place] = fits if blocks[place] > 0 else observed[place] is None
    good &= (keys > 0) & (_lengths(columns["keys"]) == keys) & observed_good
    sketches = _lengths(columns["sketches"])
    good &= np.where(blocks > 0, sketches == blocks, sketches == -1)
    for array in facts.values():
        values = pc.fill_null(array, 0).to_numpy(zero_copy_only=False)
        good &= (values >= 0) & (values <= MAX_FACT)
    named = pc.fill_null(pc.utf8_length(columns["name"]), -1).to_numpy(zero_copy_only=False)
    good &= (named == -1) | ((named > 0) & (named <= MAX_NAME_LENGTH) & (kinds == KINDS.index("organisation")))
    return good, [mask or 0 for mask in masks], [bits or 0 for bits in seen]


def _lengths(array: Any) -> Integers:
    """Bytes of each value; -1 where it is null."""
    return np.asarray(pc.fill_null(pc.binary_length(array), -1).to_numpy(zero_copy_only=False), np.int64)


def _mapped(array: Any, number: Callable[[str], int]) -> Integers:
    """A number for each text, found once for all that are equal; -1 for null."""
    encoded = pc.dictionary_encode(array)
    known = np.array([*(number(word) for word in encoded.dictionary.to_pylist()), -1], np.int64)
    places = pc.fill_null(encoded.indices, len(known) - 1).to_numpy(zero_copy_only=False)
    found: Integers = known[places]
    return found


def _all(array: Any, holds: Callable[[str], bool]) -> Bools:
    mask: Bools = _mapped(array, lambda word: int(holds(word))) == 1
    return mask


def _nulls(array: Any) -> Bools:
    return np.asarray(pc.is_null(array).to_numpy(zero_copy_only=False), bool)


def _place_in(words: tuple[str, ...]) -> Callable[[str], int]:
    return lambda word: words.index(word) if word in words else -1


def _is_hex(word: str) -> bool:
    return len(word) == 16 and set(word) <= set("0123456789abcdef")


def _is_reference(word: str) -> bool:
    try:
        reference_from_json({"ref": word}, "ref")
    except FieldError:
        return False
    return True


def _ordinal(word: str) -> int:
    if len(word) != 10 or not word.isascii() or word[4::3] != "--":
        return _NOT_A_DAY
    try:
        return date.fromisoformat(word).toordinal()
    except ValueError:
        return _NOT_A_DAY


def _bits(text: str | None) -> int | None:
    if text is None or not 0 < len(text) <= 64 or not set(text) <= set("0123456789abcdef"):
        return None
    return int(text, 16)
