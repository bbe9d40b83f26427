"""Use cases of the pool, one verb family a module, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matching.linkage import Linker
    from matching.schema import LinkageSchema
    from repository.domain.rulebook import Rulebook
    from repository.domain.screening import Question
    from repository.services.assessment import Assessments
    from repository.services.hot_keys import Met
    from repository.services.joining import Joining
    from repository.services.rulebooks import Rulebooks
    from repository.settings import Settings
    from repository.storage.engine import Database
    from repository.storage.members import ActorState
    from repository.storage.sealing import Sealer

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Services:
    """What a use case needs of the world, composed once by create_app and by the command line.

    `clock` returns the time now, aware; tests give another one.
    """

    settings: Settings
    database: Database
    clock: Clock
    sealer: Sealer
    schema: LinkageSchema
    linker: Linker
    rulebooks: Rulebooks
    assessments: Assessments
    met: Met
    joining: Joining[Question, dict[str, Any]]
    holders: Joining[None, ActorState]

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook in force now."""
        return self.rulebooks.at(self.clock())
