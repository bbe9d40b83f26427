"""What surrounds a request: the composition of the application, and the actor."""

from __future__ import annotations

from typing import cast

from flask import current_app, g

from repository.domain.members import Actor
from repository.services import Services

EXTENSION = "frankpledge"


def services() -> Services:
    """The composition that create_app made for this application."""
    return cast(Services, current_app.extensions[EXTENSION])


def current_actor() -> Actor:
    """Who makes this request. Only for views under `requires`; raises AttributeError elsewhere."""
    return cast(Actor, g.actor)
