"""The shipped linkage models: one for each shipped schema."""

from __future__ import annotations

import functools
import json
from importlib import resources

from matching.linkage import Linker
from matching.model import LinkageModel, from_json
from matching.schema import DEFAULT_SCHEMA, load_schema, schema_id


class NoModelError(LookupError):
    """No model is shipped for a linkage schema."""

    def __init__(self, schema: str) -> None:
        super().__init__(f"no linkage model is shipped for {schema}")


@functools.cache
def shipped_model(schema: str = DEFAULT_SCHEMA) -> LinkageModel:
    """The shipped model of a schema, by its id or name. Raises UnknownSchemaError, and NoModelError."""
    wanted = schema_id(schema)
    for path in resources.files("matching.models").iterdir():
        if path.name.endswith(".json"):
            raw = json.loads(path.read_text("utf-8"))
            if raw["schema"] == wanted:
                return from_json(raw)
    raise NoModelError(wanted)


@functools.cache
def shipped_linker(schema: str = DEFAULT_SCHEMA) -> Linker:
    """A schema with its shipped model."""
    return Linker(load_schema(schema), shipped_model(schema))
