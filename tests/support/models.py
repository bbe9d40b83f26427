"""Linkage models that tests put in the place of the shipped one."""

from __future__ import annotations

from dataclasses import replace

from matching.linkage import Linker
from repository.services import Services


def by_another_model(services: Services, matches_per_record: float, name: str = "another/1") -> Services:
    """The same composition with a model that takes a match for so likely before anything is compared."""
    model = services.linker.model
    kinds = {
        kind: replace(each, matches_per_record=matches_per_record, kin_per_record=0.0)
        for kind, each in model.kinds.items()
    }
    return replace(services, linker=Linker(services.schema, replace(model, id=name, kinds=kinds)))


NOTHING_MATCHES = 1e-60
