"""Schemas that several resources share, and bodies that are checked by the domain rather than by marshmallow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from matching.types import KINDS, Band
from matching.vocabulary import (
    AMOUNT_BANDS,
    CLAIM_KINDS,
    CLAIM_STATUSES,
    CUSTOMER_KINDS,
    LABELS,
    LINES,
    MAX_REFERENCE_LENGTH,
    RECORD_CLASSES,
)
from repository.domain.disclosure import PROTECT
from repository.domain.filings import reference_from_json
from repository.domain.flags import Flag
from repository.domain.outcomes import HitOutcome
from repository.domain.schedules import Every

_FEW = {"type": "object", "properties": {"fewer_than": {"type": "integer"}}, "required": ["fewer_than"]}
_COUNT = {
    "description": "Hits of this class on the same own subject; from tier 2, where a small number is not told",
    "oneOf": [{"type": "integer"}, _FEW],
}
_SEEN_BY = "Other members with a match of the same own subject, as far as it may be seen; below tier 3"
_CAPPED = "Keys not looked up as too many records share them, so that hits may be missing"
CAPPED = (
    f"{_CAPPED}; null where nothing was looked for, as of what is filed unchanged, or it is not told: to who does"
    " not see the class of every record of every line"
)
CAPPED_IN_ALL = f"{_CAPPED}, of those filings for which it is told: where the class of every record may be seen"
ATTENTION = "`protect`: a victim, or a person under protection; a reason for care, never one against the person"
OUTCOMES = tuple(outcome.value for outcome in HitOutcome)
BANDS = tuple(band.label for band in Band if band is not Band.NONE)


def count_field(description: str) -> fields.Raw:
    """A number, or `fewer_than` where it is small."""
    return fields.Raw(metadata={"description": description, "oneOf": [{"type": "integer"}, _FEW]})


class DomainSchema(Schema):
    """A body documented here and checked in the domain: one set of rules for a record and for a batch's row."""

    def load(self, data: Any, **_options: Any) -> Any:
        """The body as it came; raises ValidationError unless it is an object."""
        if not isinstance(data, dict):
            raise ValidationError({"_schema": ["Expected a JSON object."]})
        return data


class SubjectSchema(Schema):
    """A person, vehicle or organisation, encoded by the member's kit; nothing in it can be read."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    role = fields.String(required=True)
    mask = fields.String(required=True, metadata={"description": "Which keys there are: bits in hexadecimal"})
    keys = fields.String(required=True, metadata={"description": "16 bytes for each key, base64"})
    observed = fields.String(metadata={"description": "Which sketch fields had a value: bits in hexadecimal"})
    sketches = fields.String(metadata={"description": "One block for each anchor key, base64"})
    facts = fields.Dict(keys=fields.String(), values=fields.Integer())
    name = fields.String(metadata={"description": "Trading name, of organisations only"})


class ClaimSchema(Schema):
    """The facts of a claim."""

    incident_date = fields.Date(required=True)
    notification_date = fields.Date(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(CLAIM_KINDS))
    amount_band = fields.String(validate=validate.OneOf(AMOUNT_BANDS))
    status = fields.String(required=True, validate=validate.OneOf(CLAIM_STATUSES))


class BasisSchema(Schema):
    """What a filing says of the day from which it is kept; each entry belongs to one class."""

    customer_kind = fields.String(
        validate=validate.OneOf(CUSTOMER_KINDS), metadata={"description": "Of a customer: whether it has a policy"}
    )
    policy_end = fields.Date(metadata={"description": "Of a policy: its last day, past or ahead"})
    closed_on = fields.Date(metadata={"description": "Of a claim that is not open"})
    decided_on = fields.Date(metadata={"description": "Of a proven case"})


class LabelsSchema(Schema):
    """Handling labels: a TLP colour and a 3x5x2 grading. The rulebook says how far a record with each may be shown."""

    tlp = fields.String(validate=validate.OneOf(LABELS["tlp"]))
    source = fields.String(validate=validate.OneOf(LABELS["source"]))
    information = fields.String(validate=validate.OneOf(LABELS["information"]))
    code = fields.String(validate=validate.OneOf(LABELS["code"]))


class SeenBySchema(Schema):
    """How many other members hold a match: their number, or `fewer_than` where it is small."""

    members = fields.Integer()
    fewer_than = fields.Integer()


class OwnSideSchema(Schema):
    """The asking member's own side of a hit: a filing or a screening."""

    filing = fields.String()
    screening = fields.String()
    reference = fields.String(required=True)
    subject = fields.Integer(required=True, metadata={"description": "Place in the filing, from 0"})
    role = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))


class TheirSideSchema(Schema):
    """The other member's side of a hit: the facts of its filing (from tier 3)."""

    filing = fields.String(required=True)
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    record_class = fields.String(required=True, data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    date = fields.Date(required=True)
    role = fields.String(required=True)
    claim = fields.Nested(ClaimSchema)


class ExplanationRowSchema(Schema):
    """One line of an explanation; the weights (bits) add up to the weight of the hit."""

    field = fields.String(required=True)
    level = fields.String(required=True)
    weight = fields.Float(required=True)


_CARRIED = "The hit of the same pair that it was given of; nobody gave it of this one"


class GivenSchema(Schema):
    """What the member says of a hit."""

    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    note_reference = fields.String(required=True, allow_none=True)
    given_at = fields.AwareDateTime(required=True)
    carried_from = fields.String(metadata={"description": _CARRIED})


class HitSchema(Schema):
    """A hit as far as the member's tier reaches. What a tier does not allow is absent."""

    id = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    superseded_at = fields.AwareDateTime()
    band = fields.String(required=True, validate=validate.OneOf(BANDS))
    model = fields.String(metadata={"description": "The linkage model that scored it"})
    tier = fields.Integer(required=True, validate=validate.Range(1, 3))
    own = fields.Nested(OwnSideSchema, required=True)
    record_class = fields.String(data_key="class", metadata={"description": "From tier 2"})
    count = fields.Raw(metadata=_COUNT)
    seen_by = fields.Nested(SeenBySchema, metadata={"description": _SEEN_BY})
    adverse = fields.Boolean(metadata={"description": "False of a victim's or protective entry; from tier 2"})
    attention = fields.String(validate=validate.OneOf([PROTECT]), metadata={"description": ATTENTION})
    labels = fields.Nested(LabelsSchema, metadata={"description": "Those of the record, which bind you; from tier 2"})
    flag = fields.String(
        validate=validate.OneOf([each.value for each in Flag]),
        metadata={"description": "Where the record is disputed, or its use is restricted: less of it is shown"},
    )
    notice = fields.String(metadata={"description": "Words of the person in the record; from tier 2"})
    age_band = fields.String(metadata={"description": "How old the record is; from tier 2"})
    probability = fields.Float(metadata={"description": "From tier 3"})
    weight = fields.Float(metadata={"description": "Bits; from tier 3"})
    contributor = fields.String(metadata={"description": "The other member; from tier 3"})
    theirs = fields.Nested(TheirSideSchema)
    explanation = fields.List(fields.Nested(ExplanationRowSchema))
    outcome = fields.Nested(GivenSchema, metadata={"description": "The member's own, once it has given one"})
    answer_by = fields.Date(metadata={"description": "The last day in time, of a hit that is still to be answered"})


def reference_field(description: str) -> fields.String:
    """A member's own reference."""
    length = validate.Length(1, MAX_REFERENCE_LENGTH)
    return fields.String(required=True, validate=length, metadata={"description": description})


def note_field() -> fields.String:
    """A member's own reference to its case file, which may be left out. Read it by `optional_reference`."""
    length = validate.Length(1, MAX_REFERENCE_LENGTH)
    described = "The member's own reference to its case file; no other member sees it"
    return fields.String(allow_none=True, validate=length, metadata={"description": described})


def optional_reference(body: Mapping[str, object], name: str) -> str | None:
    """A member's own reference in a body, None when it is left out. Raises FieldError."""
    return None if body.get(name) is None else reference_from_json(body, name)


class ScheduleRequestSchema(DomainSchema):
    """When something recurs."""

    every = fields.String(required=True, validate=validate.OneOf([each.value for each in Every]))
    at = fields.String(required=True, metadata={"description": "A time of day in the zone, such as 02:30"})
    zone = fields.String(metadata={"description": "Of the IANA time zone database; without one the scheme's"})
    weekday = fields.String(metadata={"description": "Of a weekly one, such as monday"})
    day = fields.Integer(metadata={"description": "Of a monthly one, 1 to 31: the last where a month has none such"})


class ScheduleSchema(Schema):
    """When something recurs, and what came of the last time: a code."""

    every = fields.String(required=True)
    at = fields.String(required=True)
    zone = fields.String(required=True)
    weekday = fields.String()
    day = fields.Integer()
    purpose = fields.String()
    next_at = fields.AwareDateTime(required=True)
    last_at = fields.AwareDateTime(required=True, allow_none=True)
    last = fields.String(required=True, allow_none=True)
