"""Asking about subjects: one at a time, or up to a thousand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES, PURPOSES
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, refusal
from repository.api.shapes import ATTENTION, CAPPED, DomainSchema, HitSchema, SubjectSchema, reference_field
from repository.domain.disclosure import PROTECT
from repository.domain.errors import FieldError
from repository.domain.screening import Answer, Question
from repository.domain.watches import StandsAs
from repository.services import asking, screening, watching
from repository.services.encodings import question_from_json
from repository.services.entitlements import RefusedError

blueprint = Blueprint("screenings", __name__, description="Asking the pool")

MOST_AT_ONCE = 1000
_ADVERSE = (
    "False where victims' or protective entries were met, the class of all else may be seen, and none is of fraud"
)
_MORE = "Whether there are more hits of tier 2 and above than those told, which are the best"
_RELEASE = "Required for the purposes law_enforcement, subject_access and audit"
_UNTIL = "The last day on which it stands, in the scheme's zone; without one as the rulebook says"
_REFERENCE = "The member's own case, quote or claim reference"


class ReleaseSchema(Schema):
    """The three checks of a data release, as the asking person answers them. They are kept with the question."""

    minimum = fields.Boolean(required=True, metadata={"description": "Whether this is the minimum that is needed"})
    legal_power = fields.Boolean(required=True, metadata={"description": "Whether there is a legal power to have it"})
    third_party = fields.Boolean(required=True, metadata={"description": "Whether it can reach a third party"})


class AskingSchema(DomainSchema):
    """Under which encoding, for what purpose and in which line is asked."""

    schema = fields.String(required=True)
    fingerprint = fields.String(required=True)
    purpose = fields.String(required=True, validate=validate.OneOf(PURPOSES))
    lawful_basis = fields.String()
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    release = fields.Nested(ReleaseSchema, metadata={"description": _RELEASE})


class StandsSchema(Schema):
    """As what the question stands: what others file later is held against it, and who asked is alerted."""

    stands_as = fields.String(required=True, data_key="as", validate=validate.OneOf([each.value for each in StandsAs]))
    until = fields.Date(metadata={"description": _UNTIL})


class WatchedSchema(StandsSchema):
    """As what it stands, and under which id."""

    watch = fields.String(required=True)


class ScreeningRequestSchema(AskingSchema):
    """A question about one subject."""

    reference = reference_field(_REFERENCE)
    subject = fields.Nested(SubjectSchema, required=True)
    stands = fields.Nested(StandsSchema)


class QuestionSchema(Schema):
    """One question of many."""

    reference = reference_field(_REFERENCE)
    subject = fields.Nested(SubjectSchema, required=True)
    stands = fields.Nested(StandsSchema)


class BulkRequestSchema(AskingSchema):
    """Questions about many subjects, for one purpose and in one line."""

    screenings = fields.List(fields.Nested(QuestionSchema), required=True, validate=validate.Length(1, MOST_AT_ONCE))


class ScreeningSchema(Schema):
    """The answer. `enquire` asks a person to look; it is not a verdict."""

    id = fields.String(required=True)
    reference = fields.String(required=True)
    answer = fields.String(required=True, validate=validate.OneOf([answer.value for answer in Answer]))
    adverse = fields.Boolean(metadata={"description": _ADVERSE})
    attention = fields.String(validate=validate.OneOf([PROTECT]), metadata={"description": ATTENTION})
    hits = fields.List(fields.Nested(HitSchema), required=True)
    more_hits = fields.Boolean(required=True, metadata={"description": _MORE})
    capped_keys = fields.Integer(required=True, allow_none=True, metadata={"description": CAPPED})
    model = fields.String(required=True)
    rulebook = fields.String(required=True)
    stands = fields.Nested(WatchedSchema, metadata={"description": "Where the question stands"})


class BulkAnswerSchema(Schema):
    """Answers in the order of the questions; a question at fault has a problem in its place."""

    results = fields.List(fields.Dict(), required=True)


@blueprint.route("/v1/screenings", methods=["POST"])
@requires("screener", "investigator", while_suspended=True)
@blueprint.arguments(ScreeningRequestSchema)
@blueprint.response(200, ScreeningSchema)
@blueprint.problems(400, 413, 415, 429)
def screen(body: dict[str, Any]) -> Response:
    """Ask about one subject. Answered from the pool of the other members, as far as the own contributions reach."""
    with _problems():
        request = asking.asking(services(), body, asking.ONE_FIELDS)
        question = _checked(question_from_json(body, services().schema))
        return json_response(screening.screen_one(services(), current_actor(), own_member(), request, question))


@blueprint.route("/v1/screenings/bulk", methods=["POST"])
@requires("screener", "investigator", while_suspended=True)
@blueprint.arguments(BulkRequestSchema)
@blueprint.response(200, BulkAnswerSchema)
@blueprint.problems(400, 413, 415, 429)
def screen_many(body: dict[str, Any]) -> Response:
    """Ask about up to 1,000 subjects. Each is answered, or has a problem in its place."""
    with _problems():
        request = asking.asking(services(), body, asking.BULK_FIELDS)
        listed = body.get("screenings")
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST_AT_ONCE:
            raise FieldError("screenings", f"a list of 1 to {MOST_AT_ONCE} questions")
        read = [_question(each, place) for place, each in enumerate(listed)]
        asked = [each for each in read if isinstance(each, Question)]
        answers = iter(screening.screen(services(), current_actor(), own_member(), request, asked))
    results = [next(answers) if isinstance(each, Question) else field_problem(each).body() for each in read]
    return json_response({"results": results})


def _question(raw: object, place: int) -> Question | FieldError:
    try:
        where = f"screenings[{place}]"
        return _checked(question_from_json(raw, services().schema, where=where), f"{where}.stands")
    except FieldError as error:
        return error


def _checked(question: Question, field: str = "stands") -> Question:
    watching.check(services(), question, field)
    return question


@contextmanager
def _problems() -> Iterator[None]:
    """Tell what is wrong with a field, and what a rule refuses, as problems."""
    try:
        yield
    except FieldError as error:
        raise field_problem(error) from None
    except RefusedError as error:
        raise refusal(error.granted) from None
