"""Rulebook files: TOML, read into the domain's Rulebook with errors that name the entry."""

from __future__ import annotations

import functools
import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from matching.types import Band
from matching.vocabulary import LINES, PURPOSES, RECORD_CLASSES
from repository.domain import rulebook as rules
from repository.domain.rulebook import Level, Rulebook, SubscriberClass

MAX_BYTES = 256 * 1024
_BANDS = tuple(band.label for band in Band if band > Band.NONE)


class RulebookFileError(ValueError):
    """A file that is no rulebook. `errors` are (entry, what was expected), such as ("ladder.plan", ...)."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{entry}: {expected}" for entry, expected in errors))
        self.errors = errors


def read(text: str) -> Rulebook:
    """The rulebook in a TOML text. Raises RulebookFileError with every entry at fault."""
    if len(text.encode()) > MAX_BYTES:
        raise RulebookFileError([("(file)", f"at most {MAX_BYTES} bytes")])
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulebookFileError([("(file)", f"TOML: {error}")]) from None
    try:
        loaded: dict[str, Any] = RulebookSchema().load(raw)
    except ValidationError as error:
        raise RulebookFileError(list(_flat(error.messages_dict))) from None
    return Rulebook(digest=digest(text), **loaded)


def digest(text: str) -> str:
    """The SHA-256 of a rulebook file, in hex: what decisions name."""
    return hashlib.sha256(text.encode()).hexdigest()


def default_text() -> str:
    """The shipped rulebook file."""
    return resources.files("repository.rulebooks").joinpath("default.toml").read_text("utf-8")


@functools.cache
def default() -> Rulebook:
    """The shipped rulebook."""
    return read(default_text())


def _flat(messages: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, found in messages.items():
        where = path if name == "_schema" else f"{path}.{name}" if path else str(name)
        if isinstance(found, Mapping):
            yield from _flat(found, where)
        else:
            yield where or "(file)", " ".join(str(each) for each in found)


def _whole(low: int, high: int) -> fields.Integer:
    return fields.Integer(strict=True, required=True, validate=validate.Range(low, high))


def _share(low: float = 0.0) -> fields.Float:
    return fields.Float(required=True, validate=validate.Range(low, 1.0))


def _word(words: tuple[str, ...]) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(words))


def _words(words: tuple[str, ...] | None = None) -> fields.List[Any]:
    word = fields.String(validate=validate.OneOf(words) if words else validate.Regexp(r"[a-z][a-z_]*\Z"))
    return fields.List(word, required=True)


class _Table(Schema):
    """A table of the file that becomes the dataclass `makes`."""

    makes: Any = dict

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return self.makes(**{name: tuple(each) if isinstance(each, list) else each for name, each in loaded.items()})


def _table(makes: Any, **entries: fields.Field[Any]) -> fields.Nested:
    return fields.Nested(type(f"{makes.__name__}Schema", (_Table,), {"makes": makes, **entries}), required=True)


def _by(words: tuple[str, ...], each: Any) -> fields.Nested:
    """A table with an entry for every one of these words."""
    return fields.Nested(Schema.from_dict({word: each() for word in words}), required=True)


def _tier(highest: int = rules.DETAIL_TIER) -> fields.Integer:
    return _whole(rules.NO_TIER, highest)


class _LadderSchema(_Table):
    makes = rules.LadderRules
    warned, plan, restricted, suspended = (_whole(1, 3650) for _ in range(4))
    restricted_tier = _tier(rules.POINTER_TIER)

    @validates_schema
    def _rises(self, loaded: dict[str, Any], **_: Any) -> None:
        steps = [loaded[name] for name in ("warned", "plan", "restricted", "suspended")]
        if steps != sorted(set(steps)):
            raise ValidationError("warned, plan, restricted and suspended must rise")


class _StandingSchema(_Table):
    makes = rules.StandingRules
    completeness_target, timeliness_target, accuracy_target, duty_target = (_share(0.01) for _ in range(4))
    timely_days, answer_days = _whole(0, 365), _whole(1, 365)
    duty_band = _word(_BANDS)
    request_working_days = _whole(1, 365)
    tolerance = fields.Float(required=True, validate=validate.Range(0.0, 10.0))
    corroboration_from = _whole(1, 10**9)
    corroboration_share = _share()
    corroboration_peers = _whole(1, 4095)

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return rules.StandingRules(**loaded | {"duty_band": Band[loaded["duty_band"].upper()]})


class _DisclosureSchema(_Table):
    makes = rules.DisclosureRules
    enquire_from = _word(_BANDS)
    suppress_below = _whole(1, 1000)
    age_bands = fields.List(
        fields.Nested(
            Schema.from_dict(
                {"days": _whole(1, 100_000), "label": fields.String(required=True, validate=validate.Length(1, 20))}
            )
        ),
        required=True,
    )
    oldest_age_band = fields.String(required=True, validate=validate.Length(1, 20))
    hits_per_subject = _whole(1, 1000)

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        bands = tuple((each["days"], each["label"]) for each in loaded["age_bands"])
        return rules.DisclosureRules(
            **loaded | {"enquire_from": Band[loaded["enquire_from"].upper()], "age_bands": bands}
        )

    @validates_schema
    def _rise(self, loaded: dict[str, Any], **_: Any) -> None:
        days = [each["days"] for each in loaded["age_bands"]]
        if days != sorted(set(days)):
            raise ValidationError("the days must rise", "age_bands")


_SUBSCRIBER: dict[str, Callable[[], fields.Field[Any]]] = {
    "tier": lambda: _tier(rules.POINTER_TIER),
    "purposes": lambda: _words(PURPOSES),
    "classes": lambda: _words(RECORD_CLASSES),
    "quota_per_day": lambda: _whole(1, 10**9),
    "grant_days": lambda: _whole(1, 3650),
}


class RulebookSchema(Schema):
    """A whole rulebook file. Every entry is needed, and no others are taken."""

    version = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z"))
    title = fields.String(required=True, validate=validate.Length(1, 200))
    window = _table(rules.Window, days=_whole(1, 3650), accepted_to_ask=_whole(1, 10**6))
    tiers = _by(tuple(Level), lambda: _by(RECORD_CLASSES, _tier))
    level = _table(
        rules.LevelRules,
        at_par=_tier(),
        highest=_tier(rules.POINTER_TIER),
        counts_from=_share(),
        keys_needed=_whole(1, 200),
    )
    standing = fields.Nested(_StandingSchema, required=True)
    ladder = fields.Nested(_LadderSchema, required=True)
    ramp = _table(rules.RampRules, clean_days=_whole(0, 3650), covenant_months=_whole(1, 120))
    membership = _table(
        rules.MembershipRules,
        attestation_days=_whole(1, 3650),
        application_working_days=_whole(1, 365),
        appeal_working_days=_whole(1, 365),
    )
    quota = _table(
        rules.QuotaRules,
        floor_per_day=_whole(0, 10**9),
        per_accepted=fields.Float(required=True, validate=validate.Range(0.0, 10**6)),
        burst_per_minute=_whole(1, 10**9),
        subjects_per_reference=_whole(1, 10**6),
        reference_days=_whole(1, 3650),
    )
    purposes = _table(
        rules.PurposeRules,
        closed=fields.List(
            _table(
                rules.ClosedPurpose,
                line=_word(LINES),
                purpose=_word(PURPOSES),
                record_class=fields.String(required=True, data_key="class", validate=validate.OneOf(RECORD_CLASSES)),
            ),
            required=True,
        ),
        own=_words(PURPOSES),
    )
    subscribers = _by(
        tuple(SubscriberClass),
        lambda: _table(rules.SubscriberRules, **{name: make() for name, make in _SUBSCRIBER.items()}),
    )
    handling = _table(
        rules.HandlingRules,
        tlp=_by(("clear", "green", "amber", "amber_strict", "red"), _tier),
        source=_by(("reliable", "untested", "not_reliable"), _tier),
        information=_by(("A", "B", "C", "D", "E"), _tier),
        code=_by(("P", "C"), _tier),
    )
    disclosure = fields.Nested(_DisclosureSchema, required=True)
    proof = _table(rules.ProofRules, case_types=_words(), product_actions=_words(), exceptions=_words())
    filing = _table(
        rules.FilingRules,
        clock_skew_days=_whole(0, 31),
        future_days=fields.Dict(
            keys=fields.String(validate=validate.OneOf(RECORD_CLASSES)),
            values=fields.Integer(strict=True, validate=validate.Range(0, 3650)),
            required=True,
        ),
    )
    screening = _table(rules.ScreeningRules, keep_days=_whole(1, 3650))
    matching = _table(
        rules.MatchingRules,
        hot_key_rows=_whole(2, 10**6),
        hot_key_hours=_whole(1, 24 * 365),
        candidates_per_subject=_whole(1, 10_000),
    )
