"""The web application: settings, engine, services, blueprints, and nothing else."""

from __future__ import annotations

from flask import Flask

from repository import logs, tracing
from repository.api import base, documentation, health, problems, serving, tokens
from repository.api.auth import SIGNING_KEYS
from repository.api.blueprints import BLUEPRINTS
from repository.jobs.worker import STOP
from repository.jobs.workers import Workers
from repository.services import Clock
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.signing import load_signing_keys
from repository.settings import Settings


def create_app(settings: Settings | None = None, clock: Clock = now) -> Flask:
    """The application for some settings, by default those of the environment. Raises SettingsError."""
    settings = settings or Settings.from_environment()
    logs.configure(settings.log_level)
    tracing.configure(settings.otel_endpoint)
    services = compose(settings, clock)
    services.rulebooks.warm()
    keys = load_signing_keys(settings.signing_keys_dir)
    app = Flask("frankpledge", static_folder=None)
    app.extensions[base.EXTENSION] = services
    app.extensions[SIGNING_KEYS] = keys
    serving.install(app, settings)
    problems.install(app)
    tokens.install(app, services, keys)
    documentation.install(app, BLUEPRINTS)
    health.install(app, settings)
    app.extensions[STOP] = [services.met.add_up]
    if settings.worker:
        worker = Workers(services)
        worker.start()
        app.extensions[STOP] = [worker.stop, *app.extensions[STOP]]
        health.also(app, "worker", lambda: worker.alive)
    return app
