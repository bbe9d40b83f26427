"""The pool's own linkage model: trained on its encodings, kept in a file of the data directory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from matching.comparisons import COMPARISONS
from matching.corpus import compare_sets
from matching.linkage import Linker, SchemaMismatchError
from matching.model import KindModel, LinkageModel, from_json, to_json
from matching.schema import load_schema
from matching.shipped import shipped_model
from matching.training import train
from matching.types import EncodedSubject, Kind
from matching.wire import unpack
from repository.services import Services
from repository.settings import Settings, SettingsError
from repository.storage import filings
from repository.storage.sealing import record_context

FEWEST_SUBJECTS = 1000
FEWEST_MATCHES = 50


class TooLittleError(ValueError):
    """The pool holds too little to train on; the message says how much there is and how much is needed."""


@dataclass(frozen=True, slots=True)
class Description:
    """A model for the operator's eyes; `weights` are those of persons: comparison, level, bits."""

    id: str
    schema: str
    card: Mapping[str, object]
    weights: tuple[tuple[str, str, float], ...]


def describe(model: LinkageModel) -> Description:
    """Tell what the model is and how it weighs persons."""
    rates = model.kinds["person"].rates
    weights = tuple(
        (comparison.name, level, weight)
        for comparison in COMPARISONS["person"].comparisons
        for level, weight in zip(comparison.levels, rates[comparison.name].weights, strict=True)
    )
    return Description(model.id, model.schema, model.card, weights)


def current_model(settings: Settings) -> LinkageModel:
    """The pool's own model if it has one, else the one shipped for its schema.

    Raises SettingsError for a file that is no model.
    """
    if not settings.model_file.exists():
        return shipped_model(settings.schema)
    try:
        return from_json(json.loads(settings.model_file.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{settings.model_file} is not a linkage model ({type(error).__name__}): train it anew with"
            " `frankpledge-admin model train`, or remove it to use the shipped one"
        ) from None


def linker(settings: Settings) -> Linker:
    """The linker of the pool. Raises SettingsError when the model is for another linkage schema."""
    try:
        return Linker(load_schema(settings.schema), current_model(settings))
    except SchemaMismatchError:
        raise SettingsError(
            f"{settings.model_file} was trained for another linkage schema than {settings.schema}: go back to the"
            " shipped one with `frankpledge-admin model reset`, then train it anew with `frankpledge-admin model train`"
        ) from None


def train_model(services: Services, sample: int, now: datetime) -> LinkageModel:
    """Fit the rates of persons to a random sample of the pool, without labels. Raises TooLittleError.

    Only a pair whose both sides are drawn is seen, so what a record meets in the whole pool is scaled up from the
    sample. Vehicles and organisations keep the rates of the model in use.
    """
    kind: Kind = "person"
    subjects, total = _sample(services, kind, sample)
    if len(subjects) < FEWEST_SUBJECTS:
        raise TooLittleError(f"the pool holds {len(subjects)} persons; training needs {FEWEST_SUBJECTS}")
    compared = compare_sets(subjects, None, kind, services.schema)
    trained = train(compared.training, kind)
    matches = trained.model.matches_per_record * compared.training.records
    if matches < FEWEST_MATCHES:
        raise TooLittleError(
            f"among {len(subjects)} persons about {matches:.0f} pairs match; training needs {FEWEST_MATCHES}:"
            " draw a larger sample, or wait until members share more customers"
        )
    base = current_model(services.settings)
    fitted = _scaled(trained.model, total / len(subjects))
    card = {
        "data": f"{len(subjects)} of {total} persons of the pool, encoded",
        "date": now.date().isoformat(),
        "method": "u from sampled chance pairs, m by EM with a household class; no labels, no plaintext",
        "pairs": len(compared.candidates),
        "rounds": trained.rounds,
        "vehicles_and_organisations": f"as in {base.id}",
    }
    return replace(base, id=new_id(now), kinds={**base.kinds, kind: fitted}, card=card)


def new_id(now: datetime) -> str:
    """The id of a model that is trained now."""
    return f"pool-{now:%Y%m%dT%H%M%S}"


def store_model(settings: Settings, model: LinkageModel) -> None:
    """Put a model into use from the next start on; a reader sees the old file or the new one, never half of one."""
    partial = settings.model_file.with_suffix(".part")
    partial.write_bytes(orjson.dumps(to_json(model), option=orjson.OPT_INDENT_2) + b"\n")
    partial.replace(settings.model_file)


def _sample(services: Services, kind: Kind, size: int) -> tuple[Sequence[EncodedSubject], int]:
    with services.database.read(long=True) as session:
        rows, total = filings.sample(session.connection(), kind, size)
    opened = [unpack(services.sealer.unseal(record_context(record_id), envelope)) for record_id, envelope in rows]
    return opened, total


def _scaled(model: KindModel, factor: float) -> KindModel:
    return replace(
        model,
        matches_per_record=model.matches_per_record * factor,
        kin_per_record=model.kin_per_record * factor,
    )
