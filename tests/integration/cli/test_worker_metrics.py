"""A worker by itself is asked by Prometheus for what it has counted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from click.testing import CliRunner

from repository.cli import main
from repository.jobs.exposing import Exposing
from repository.services import Services
from repository.settings import SettingsError

TOKEN = "t0ken-" * 6


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_metrics_are_for_who_has_the_token(services: Services) -> None:
    """And for nobody where there is none; nothing else is answered, and a port that is taken is named."""
    with pytest.raises(SettingsError, match="init"):
        Exposing(services, "127.0.0.1", 0)
    path = services.settings.metrics_token_file
    path.touch(0o600)
    path.write_text(TOKEN)
    exposing = Exposing(services, "127.0.0.1", 0)
    try:
        url, known = f"http://127.0.0.1:{exposing.port}", {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(trust_env=False) as client:
            told = client.get(f"{url}/metrics", headers=known)
            assert told.status_code == 200
            assert 'frankpledge_batch_rows_total{result="created"}' in told.text
            assert "frankpledge_database_up 1.0" in told.text
            for sent in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}"):
                refused = client.get(f"{url}/metrics", headers={"Authorization": sent})
                assert (refused.status_code, refused.content) == (401, b"")
            assert client.get(f"{url}/v1/scheme", headers=known).status_code == 404
        with pytest.raises(SettingsError, match="cannot be used"):
            Exposing(services, "127.0.0.1", exposing.port)
    finally:
        exposing.stop()


def test_the_worker_answers_while_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`worker run --metrics-port`, with the token that `init` made; it answers no more once it has stopped."""
    pool = tmp_path / "pool"
    words = ["--data-dir", str(pool)]
    assert CliRunner().invoke(main, [*words, "init"]).exit_code == 0
    known = {"Authorization": f"Bearer {(pool / 'metrics.token').read_text().strip()}"}
    found: dict[str, str] = {}

    def exposing(services: Services, host: str, port: int) -> Exposing:
        found["url"] = f"http://{host}:{(done := Exposing(services, host, port)).port}/metrics"
        return done

    def scrape() -> None:
        found["told"] = httpx.get(found["url"], headers=known, trust_env=False).text

    monkeypatch.setattr("repository.cli.worker.Exposing", exposing)
    monkeypatch.setattr(
        "repository.cli.worker.signal.signal", lambda *_: None
    )  # this process is to end by the usual ones
    monkeypatch.setattr("repository.cli.worker.Event", lambda: SimpleNamespace(wait=scrape, set=lambda: None))
    done = CliRunner().invoke(main, [*words, "worker", "run", "--metrics-port", "0"])
    assert done.exit_code == 0, done.output
    assert found["url"] in done.output
    assert re.search(r"^frankpledge_jobs_total\{kind=\"rescreen\"", found["told"], re.MULTILINE)
    with pytest.raises(httpx.ConnectError):
        scrape()
    assert json.loads(CliRunner().invoke(main, [*words, "worker", "status", "--json"]).output)["worker"] is False
