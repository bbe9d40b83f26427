"""What each kind of job does in a step, how patient it is, and what follows from its end. Registered in HANDLERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.jobs import Ahead, Job, JobKind, JobStatus, Patience
from repository.services import (
    Services,
    correction_job,
    delivery,
    expiring,
    linking,
    monitoring,
    rescreening,
    retention,
)


def _nothing(_services: Services, _job: Job) -> None:
    """No preparation."""


def _no_one(_services: Services, _connection: Connection, _job: Job, _code: str) -> None:
    """Nobody needs to know."""


@dataclass(frozen=True, slots=True)
class Handler:
    """How jobs of a kind are done.

    `prepare` is called outside of any transaction, for what takes long and touches no row of ours; `step` in the
    transaction in which the job moves on, with what was prepared. Either may raise PutOffError. `ended` and `put_off`
    are called in the transaction in which that comes about. `longest` is how long a step may take at most: others leave
    the job alone for as long.
    """

    patience: Patience
    step: Callable[[Services, Session, Job, Any], Ahead]
    ended: Callable[[Services, Connection, Job, JobStatus], None]
    prepare: Callable[[Services, Job], Any] = _nothing
    put_off: Callable[[Services, Connection, Job, str], None] = _no_one
    longest: timedelta = timedelta()


HANDLERS: Mapping[JobKind, Handler] = MappingProxyType(
    {
        JobKind.RESCREEN: Handler(
            patience=Patience(10, timedelta(seconds=2), 4, timedelta(minutes=10)),
            step=rescreening.step,
            ended=rescreening.ended,
        ),
        # Fifteen attempts within some four days: until nothing got through for so long that the webhook is disabled.
        JobKind.WEBHOOK: Handler(
            patience=Patience(15, timedelta(seconds=5), 5, timedelta(hours=12)),
            prepare=delivery.prepare,
            step=delivery.step,
            ended=delivery.ended,
            put_off=delivery.put_off,
            longest=timedelta(seconds=60),
        ),
        JobKind.EXPIRY: Handler(
            patience=Patience(10, timedelta(seconds=2), 4, timedelta(minutes=10)),
            prepare=expiring.prepare,
            step=expiring.step,
            ended=expiring.ended,
        ),
        JobKind.CORRECTION: Handler(
            patience=Patience(10, timedelta(seconds=2), 4, timedelta(minutes=10)),
            step=correction_job.step,
            ended=correction_job.ended,
        ),
        JobKind.NETWORK: Handler(
            patience=Patience(10, timedelta(seconds=2), 4, timedelta(minutes=10)),
            prepare=linking.prepare,
            step=linking.step,
            ended=linking.ended,
            longest=timedelta(seconds=120),
        ),
        JobKind.MONITOR: Handler(
            patience=Patience(8, timedelta(seconds=2), 4, timedelta(minutes=5)),
            prepare=monitoring.prepare,
            step=monitoring.step,
            ended=monitoring.ended,
            longest=timedelta(seconds=60),
        ),
        JobKind.RETENTION: Handler(
            patience=Patience(10, timedelta(seconds=2), 4, timedelta(minutes=10)),
            prepare=retention.prepare,
            step=retention.step,
            ended=expiring.ended,
            longest=timedelta(seconds=60),
        ),
    }
)
