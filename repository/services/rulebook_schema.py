"""The shape of a rulebook file: its tables and entries, and what is expected in each, in words.

Every entry is needed, and no others are taken. A failing entry says what was expected in it, never what was found.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from matching.types import Band
from matching.vocabulary import LABELS, LINES, PROVIDER_ROLES, PURPOSES, RECORD_CLASSES
from repository.domain import rulebook as rules
from repository.domain.calendar import Calendar
from repository.domain.corrections import LONGEST_ANSWER_DAYS, MOST_NOTICE_WORDS
from repository.domain.networks import LinkKind
from repository.domain.patterns import PatternName
from repository.domain.retention import FOOTPRINT_DAYS, LONGEST, Basis, Period, RetentionRules
from repository.domain.rulebook import Level, SubscriberClass

UNKNOWN = "no such entry"

_BANDS = tuple(band.label for band in Band if band > Band.NONE)
_LONGEST_LIST = 200
_ZONE = "a zone of the IANA time zone database, such as Europe/London"
_HOLIDAY = "a date in quotes, such as 2027-12-25"


def _messages(expected: str) -> dict[str, Any]:
    names = ("invalid", "invalid_utf8", "null", "too_large", "special", "type", "validator_failed")
    return dict.fromkeys(names, expected) | {"required": f"missing; expected {expected}"}


class _Number(fields.Float):
    """A number, whole or not; text that looks like one is none."""

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> float:
        if not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, *rest, **options)


def _whole(low: int, high: int, *, required: bool = True) -> fields.Integer:
    expected = f"a whole number from {low} to {high}"
    check = validate.Range(low, high, error=expected)
    return fields.Integer(strict=True, required=required, validate=check, error_messages=_messages(expected))


def _number(low: float, high: float) -> fields.Float:
    expected = f"a number from {low:.12g} to {high:.12g}"
    check = validate.Range(low, high, error=expected)
    return _Number(required=True, validate=check, error_messages=_messages(expected))


def _share(low: float = 0.0) -> fields.Float:
    return _number(low, 1.0)


def _tier(highest: int = rules.DETAIL_TIER) -> fields.Integer:
    return _whole(rules.NO_TIER, highest)


def _truth() -> fields.Boolean:
    messages = _messages("true or false")
    return fields.Boolean(required=True, truthy={True}, falsy={False}, error_messages=messages)


def _text(longest: int) -> fields.String:
    expected = f"a text of 1 to {longest} characters"
    check = validate.Length(1, longest, error=expected)
    return fields.String(required=True, validate=check, error_messages=_messages(expected))


def _shaped(pattern: str, expected: str) -> fields.String:
    check = validate.Regexp(pattern, error=expected)
    return fields.String(required=True, validate=check, error_messages=_messages(expected))


def _word(words: Sequence[str], data_key: str | None = None) -> fields.String:
    expected = f"one of {', '.join(words)}"
    check = validate.OneOf(words, error=expected)
    return fields.String(required=True, validate=check, data_key=data_key, error_messages=_messages(expected))


def _different(found: Sequence[Any]) -> None:
    if any(each in found[:place] for place, each in enumerate(found)):
        raise ValidationError("each entry once")


def _list(inner: fields.Field[Any], what: str, at_least: int = 0) -> fields.List[Any]:
    expected = f"a list of {at_least} to {_LONGEST_LIST} {what}"
    length = validate.Length(at_least, _LONGEST_LIST, error=expected)
    return fields.List(inner, required=True, validate=[length, _different], error_messages=_messages(expected))


def _words(words: Sequence[str] | None = None, at_least: int = 1) -> fields.List[Any]:
    inner = _word(words) if words else _shaped(r"[a-z][a-z_]{0,59}\Z", "a word in lower case, such as claim_fraud")
    return _list(inner, "words", at_least)


def _most_in_a_year(days: Sequence[date]) -> int:
    """The most of these days, in rising order, that lie within a year and a day of each other."""
    return max((bisect(days, each + timedelta(days=366)) - place for place, each in enumerate(days)), default=0)


class _Table(Schema):
    """A table of the file that becomes the dataclass `makes`."""

    error_messages = {"unknown": UNKNOWN, "type": "a table"}  # noqa: RUF012 - marshmallow reads it from the class
    makes: Any = dict

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return self.makes(**{name: tuple(each) if isinstance(each, list) else each for name, each in loaded.items()})


def _nested(schema: type[Schema]) -> fields.Nested:
    return fields.Nested(schema, required=True, error_messages=_messages("a table"))


def _table(makes: Any, **entries: fields.Field[Any]) -> fields.Nested:
    return _nested(type(f"{makes.__name__}Schema", (_Table,), {"makes": makes, **entries}))


def _by(name: str, words: Sequence[str], each: Callable[[], fields.Field[Any]]) -> fields.Nested:
    """A table with an entry for every one of these words."""
    return _nested(type(f"{name}BySchema", (_Table,), {str(word): each() for word in words}))


class _LadderSchema(_Table):
    makes = rules.LadderRules
    warned, plan, restricted, suspended = (_whole(1, 3650) for _ in range(4))
    restricted_tier = _tier(rules.POINTER_TIER)

    @validates_schema
    def _rises(self, loaded: dict[str, Any], **_: Any) -> None:
        steps = [loaded[name] for name in ("warned", "plan", "restricted", "suspended")]
        if steps != sorted(set(steps)):
            raise ValidationError("warned, plan, restricted and suspended in rising order")


class _StandingSchema(_Table):
    makes = rules.StandingRules
    completeness_target, timeliness_target, accuracy_target, duty_target = (_share(0.01) for _ in range(4))
    timely_days, answer_days = _whole(0, 365), _whole(1, 365)
    duty_band = _word(_BANDS)
    request_working_days = _whole(1, 365)
    tolerance, spared = _number(0.0, 10.0), _number(0.0, 100.0)
    corroboration_from, corroboration_expected = _whole(1, 10**9), _number(0.0, 1e9)
    corroboration_share = _share()
    corroboration_peers = _whole(1, 4095)

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return rules.StandingRules(**loaded | {"duty_band": Band[loaded["duty_band"].upper()]})


class _AgeBandSchema(_Table):
    days = _whole(1, 100_000)
    label = _text(20)


class _DisclosureSchema(_Table):
    makes = rules.DisclosureRules
    enquire_from = _word(_BANDS)
    suppress_below = _whole(1, 1000)
    age_bands = _list(_nested(_AgeBandSchema), "tables, each with days and label")
    oldest_age_band = _text(20)
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
        labels = [*(each["label"] for each in loaded["age_bands"]), loaded["oldest_age_band"]]
        if days != sorted(set(days)):
            raise ValidationError("days in rising order", "age_bands")
        if len(set(labels)) < len(labels):
            raise ValidationError("a label of its own for each band, the oldest included", "age_bands")


class _CalendarSchema(_Table):
    zone = _shaped(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}\Z", _ZONE)
    holidays = _list(_shaped(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", _HOLIDAY), "dates")

    @validates_schema
    def _there(self, loaded: dict[str, Any], **_: Any) -> None:
        try:
            ZoneInfo(loaded["zone"])
        except (LookupError, ValueError, OSError):
            raise ValidationError(_ZONE, "zone") from None
        for place, each in enumerate(loaded["holidays"]):
            try:
                date.fromisoformat(each)
            except ValueError:
                raise ValidationError({"holidays": {place: [_HOLIDAY]}}) from None

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return Calendar(loaded["zone"], tuple(sorted(map(date.fromisoformat, loaded["holidays"]))))


class _FutureDaysSchema(_Table):
    """By class; those that are not named have filing.clock_skew_days."""

    customer, claim, suspected, proven, victim, protective = (
        _whole(0, 3650, required=False) for _ in range(len(RECORD_CLASSES))
    )


def _subscriber() -> fields.Nested:
    return _table(
        rules.SubscriberRules,
        tier=_tier(rules.POINTER_TIER),
        purposes=_words(PURPOSES),
        classes=_words(RECORD_CLASSES),
        quota_per_day=_whole(1, 10**9),
        grant_days=_whole(1, 3650),
    )


class _Period(fields.String):
    """A number of months or days, such as "90 days", within a cap of months."""

    def __init__(self, cap_months: int) -> None:
        self._cap = Period(cap_months)
        self._expected = f'a number of months or days in quotes, at most "{self._cap}"'
        super().__init__(required=True, error_messages=_messages(self._expected))

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:
        number, _, unit = str(super()._deserialize(value, *rest, **options)).partition(" ")
        if unit not in ("months", "days") or re.fullmatch(r"[1-9][0-9]{0,4}", number) is None:
            raise ValidationError(self._expected)
        period = Period(int(number), unit)
        if not period.is_within(self._cap):
            raise ValidationError(self._expected)
        return period


class _KeptSchema(_Table):
    """How long filings of a kind are kept; its entries are set for each kind."""

    makes = RetentionRules

    @validates_schema
    def _within_its_cap(self, loaded: dict[str, Any], **_: Any) -> None:
        if not loaded["keep"].is_within(loaded["cap"]):
            raise ValidationError("keep no longer than cap", "keep")

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return RetentionRules(loaded["keep"], loaded["cap"], Basis(loaded["basis"]))


def _kept(kind: str) -> fields.Nested:
    longest = LONGEST[kind]
    entries = {each: _Period(longest.cap_months) for each in ("keep", "cap")}
    return _nested(type("KeptSchema", (_KeptSchema,), {**entries, "basis": _word(longest.bases)}))


def _pattern() -> fields.Nested:
    return _table(
        rules.PatternRules,
        incidents=_whole(2, 1000),
        people=_whole(1, 1000),
        bits=_number(0.0, 1000.0),
        each=_number(0.0, 1000.0),
        most=_number(0.0, 1000.0),
    )


class _SubjectAccessSchema(_Table):
    band = _word(_BANDS)
    answer_months = _whole(1, 3)
    contributor_working_days = _whole(1, 60)
    deferral_days = _whole(1, 180)
    report_days = _whole(1, 180)
    keep_days = _whole(1, 365)
    per_day = _whole(1, 10_000)
    second_person = _truth()
    name_members = _truth()
    untold_purposes = _words(PURPOSES, at_least=0)

    @validates_schema
    def _kept_until_told(self, loaded: dict[str, Any], **_: Any) -> None:
        """No request goes before the last deferral has ended, and what it held back could be read."""
        weeks = -(-loaded["contributor_working_days"] // 5) + 1
        least = 31 * loaded["answer_months"] + max(loaded["deferral_days"], 7 * weeks) + loaded["report_days"] + 1
        if loaded["keep_days"] < least:
            expected = f"no fewer than until the answer, the last deferral and the report are over, here {least}"
            raise ValidationError(expected, "keep_days")

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        made = {"band": Band[loaded["band"].upper()], "untold_purposes": tuple(loaded["untold_purposes"])}
        return rules.SubjectAccessRules(**loaded | made)


class _RetentionSchema(_Table):
    """By kind; a scheme may keep records for less long than the caps of the law, never for longer."""

    quote, policy, customer, claim, suspected, proven, victim, protective = map(_kept, LONGEST)


class RulebookSchema(_Table):
    """A whole rulebook file."""

    version = _shaped(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z", "1 to 40 letters, digits, dots, hyphens or underscores, such as 2027.1"
    )
    title = _text(200)
    window = _table(rules.Window, days=_whole(1, 3650), accepted_to_ask=_whole(1, 10**6))
    tiers = _by("Level", tuple(Level), lambda: _by("Class", RECORD_CLASSES, _tier))
    level = _table(
        rules.LevelRules,
        at_par=_tier(),
        highest=_tier(rules.POINTER_TIER),
        counts_from=_share(),
        counts_tolerance=_number(0.0, 10.0),
        counted_over=_whole(1, 10**6),
        counted_days=_whole(1, 3650),
        met_from=_whole(0, 10**6),
        seen_days=_whole(1, 3650),
        keys_needed=_whole(1, 200),
        same_subject_counts=_whole(1, 10**6),
    )
    standing = _nested(_StandingSchema)
    ladder = _nested(_LadderSchema)
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
        per_accepted=_number(0.0, 10.0**6),
        burst_per_minute=_whole(1, 10**9),
        subjects_per_reference=_whole(1, 10**6),
        reference_days=_whole(1, 3650),
    )
    purposes = _table(
        rules.PurposeRules,
        closed=_list(
            _table(
                rules.ClosedPurpose,
                line=_word(LINES),
                record_class=_word(RECORD_CLASSES, data_key="class"),
                purpose=_word(PURPOSES),
            ),
            "tables, each with line, class and purpose",
        ),
        own=_words(PURPOSES),
    )
    subscribers = _by("Subscriber", tuple(SubscriberClass), _subscriber)
    handling = _table(
        rules.HandlingRules,
        tlp=_by("Tlp", LABELS["tlp"], _tier),
        source=_by("Source", LABELS["source"], _tier),
        information=_by("Information", LABELS["information"], _tier),
        code=_by("Code", LABELS["code"], _tier),
    )
    disclosure = _nested(_DisclosureSchema)
    proof = _table(rules.ProofRules, case_types=_words(), product_actions=_words(), exceptions=_words(at_least=0))
    filing = _table(rules.FilingRules, clock_skew_days=_whole(0, 31), future_days=_nested(_FutureDaysSchema))
    screening = _table(rules.ScreeningRules, keep_days=_whole(1, FOOTPRINT_DAYS))
    calendar = _nested(_CalendarSchema)
    exchange = _table(
        rules.ExchangeRules,
        items=_words(),
        legal_powers=_words(),
        most_open=_whole(1, 10_000),
        sealed_days=_whole(1, 365),
        keep_days=_whole(1, 365),
    )
    subject_access = _nested(_SubjectAccessSchema)
    disputes = _table(
        rules.DisputeRules,
        answer_days=_whole(1, LONGEST_ANSWER_DAYS),
        disputed_tier=_tier(rules.POINTER_TIER),
        restricted_tier=_tier(rules.CLASS_TIER),
        notice_words=_whole(1, MOST_NOTICE_WORDS),
        acknowledge_working_days=_whole(1, 60),
    )
    accuracy = _table(
        rules.AccuracyRules,
        refuted_by=_whole(2, 1000),
        contest_days=_whole(1, 365),
        refuted_classes=_words(("suspected", "proven")),
    )
    casework = _table(
        rules.CaseworkRules,
        due_days=_whole(1, 365),
        snooze_days=_whole(1, 365),
        evidence_characters=_whole(1, 1000),
    )
    monitoring = _table(
        rules.MonitoringRules,
        quote_days=_whole(1, FOOTPRINT_DAYS),
        quote_most_days=_whole(1, FOOTPRINT_DAYS),
        policy_days=_whole(1, FOOTPRINT_DAYS),
        policy_most_days=_whole(1, FOOTPRINT_DAYS),
        hits_per_watch=_whole(1, 10_000),
        told_purposes=_words(PURPOSES, at_least=0),
    )
    retention = _nested(_RetentionSchema)
    matching = _table(
        rules.MatchingRules,
        hot_key_rows=_whole(2, 10**6),
        hot_key_hours=_whole(1, 24 * 365),
        candidates_per_subject=_whole(1, 10_000),
    )
    networks = _table(
        rules.NetworkRules,
        classes=_words(RECORD_CLASSES),
        bits=_by("Link", tuple(LinkKind), lambda: _number(0.0, 100.0)),
        floor_bits=_number(0.1, 1000.0),
        most_claims=_whole(2, 1000),
        links_per_subject=_whole(1, 1000),
        raise_at=_number(0.1, 1000.0),
        burst_days=_whole(1, 3650),
        local=_number(1.0, 1e6),
        recycled=_whole(0, 1000),
        repairing=_words(PROVIDER_ROLES),
        advising=_words(PROVIDER_ROLES),
        patterns=_by("Pattern", tuple(PatternName), _pattern),
    )

    @validates_schema
    def _asked_until_due(self, loaded: dict[str, Any], **_: Any) -> None:
        """No request is deleted before it is due: weeks of five working days, and each holiday adds a day."""
        working = loaded["standing"].request_working_days + _most_in_a_year(loaded["calendar"].holidays)
        least = max(7 * -(-working // 5) + 3, loaded["exchange"].sealed_days + 1)
        if loaded["exchange"].keep_days < least:
            expected = f"keep_days above sealed_days and the days to answer in, here {least} or more"
            raise ValidationError(expected, "exchange")

    @validates_schema
    def _giving_more_shows_more(self, loaded: dict[str, Any], **_: Any) -> None:
        levels = tuple(Level)
        faults: dict[str, dict[str, list[str]]] = {}
        for below, above in itertools.pairwise(levels):
            for record_class in RECORD_CLASSES:
                least = loaded["tiers"][below][record_class]
                if loaded["tiers"][above][record_class] < least:
                    expected = f"at least the {least} of tiers.{below}.{record_class}"
                    faults.setdefault(str(above), {})[record_class] = [expected]
        if faults:
            raise ValidationError({"tiers": faults})
