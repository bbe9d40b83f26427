"""Reading filings and questions as members send them: the domain checks the facts, the linkage its encodings."""

from __future__ import annotations

from collections.abc import Mapping

from matching.schema import LinkageSchema
from matching.types import EncodedSubject
from matching.vocabulary import MAX_SUBJECTS
from matching.wire import WireError, subject_from_json
from repository.domain.errors import FieldError
from repository.domain.filings import Accepts, Filing, encoding_from_json, facts_from_json, reference_from_json
from repository.domain.screening import Question


def filing_from_json(body: object, schema: LinkageSchema, accepts: Accepts) -> Filing:
    """A filing from parsed JSON, the same for one filing and for a row of a batch. Raises FieldError."""
    if not isinstance(body, dict):
        raise FieldError("(record)", "a JSON object")
    facts = facts_from_json(body, accepts)
    check_schema(facts.schema_id, schema)
    raw = body.get("subjects")
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_SUBJECTS:
        raise FieldError("subjects", f"a list of 1 to {MAX_SUBJECTS} subjects")
    return Filing(facts, tuple(subject(each, schema, f"subjects[{place}]") for place, each in enumerate(raw)))


def question_from_json(body: object, schema: LinkageSchema, *, where: str = "") -> Question:
    """Reference and subject of a screening. Raises FieldError with paths under `where`."""
    prefix = f"{where}." if where else ""
    if not isinstance(body, Mapping):
        raise FieldError(where or "(record)", "a JSON object")
    try:
        reference = reference_from_json(body, "reference")
    except FieldError as error:
        raise FieldError(f"{prefix}{error.field}", error.expected) from None
    return Question(reference, subject(body.get("subject"), schema, f"{prefix}subject"))


def encoding(body: Mapping[str, object], schema: LinkageSchema, fingerprints: Mapping[str, tuple[str, ...]]) -> str:
    """The fingerprint of a screening, once schema and fingerprint are found to be this pool's. Raises FieldError."""
    schema_id, fingerprint = encoding_from_json(body, fingerprints)
    check_schema(schema_id, schema)
    return fingerprint


def check_schema(schema_id: str, schema: LinkageSchema) -> None:
    """Raises FieldError when a schema is accepted by the operator but not read by this version of the service."""
    if schema_id != schema.id:
        raise FieldError("schema", f"the linkage schema that this service reads ({schema.id})")


def subject(raw: object, schema: LinkageSchema, where: str) -> EncodedSubject:
    """One encoded subject. Raises FieldError."""
    try:
        return subject_from_json(raw, schema, where=where)
    except WireError as error:
        raise FieldError(error.field, error.expected) from None
