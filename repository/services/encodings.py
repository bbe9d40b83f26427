"""Reading filings and questions as members send them: the domain checks the facts, the linkage its encodings."""

from __future__ import annotations

from collections.abc import Mapping

from matching.schema import LinkageSchema, shipped_schemas
from matching.types import EncodedSubject
from matching.vocabulary import MAX_SUBJECTS
from matching.wire import WireError, subject_from_json
from repository.domain.errors import FieldError
from repository.domain.filings import Accepts, Filing, encoding_from_json, facts_from_json, reference_from_json
from repository.domain.screening import Question
from repository.domain.watches import stands_from_json


def filing_from_json(body: object, schema: LinkageSchema, accepts: Accepts) -> Filing:
    """A filing from parsed JSON, the same for one filing and for a row of a batch. Raises FieldError."""
    if not isinstance(body, dict):
        raise FieldError("(record)", "a JSON object")
    check_schema(body, schema)
    facts = facts_from_json(body, accepts)
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
    stands = stands_from_json(body.get("stands"), f"{prefix}stands")
    return Question(reference, subject(body.get("subject"), schema, f"{prefix}subject"), stands)


def encoding(body: Mapping[str, object], schema: LinkageSchema, fingerprints: Mapping[str, tuple[str, ...]]) -> str:
    """The fingerprint of a screening, once schema and fingerprint are found to be this pool's. Raises FieldError."""
    check_schema(body, schema)
    _, fingerprint = encoding_from_json(body, fingerprints)
    return fingerprint


def check_schema(body: Mapping[str, object], schema: LinkageSchema) -> None:
    """Raises FieldError for a record of another schema than the pool's, and names that schema where it is known."""
    said = body.get("schema")
    if said != schema.id:
        sent = f"; the record was encoded under {said}" if said in shipped_schemas() else ""
        raise FieldError("schema", f"{schema.id}, the linkage schema of this pool{sent}")


def subject(raw: object, schema: LinkageSchema, where: str) -> EncodedSubject:
    """One encoded subject. Raises FieldError."""
    try:
        return subject_from_json(raw, schema, where=where)
    except WireError as error:
        raise FieldError(error.field, error.expected) from None
