"""Ids of what the rules are applied to."""

from __future__ import annotations

import os

from repository.domain import ids
from repository.domain.ids import Prefix
from repository.services import Services


def new_id(services: Services, prefix: Prefix) -> str:
    """A new id of the service's present time."""
    return ids.make(prefix, services.clock(), os.urandom(ids.RANDOM_BYTES))
