"""Training the pool's own linkage model from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.pool import Filled, file_subjects, fill
from repository.cli import main
from repository.services.compose import compose
from repository.settings import Settings


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A pool in which two members share some six hundred customers."""
    pool = fill(tmp_path_factory.mktemp("model") / "pool", 900, 600)
    file_subjects(pool.services, pool.asker, pool.fingerprint, pool.questions[1:], 1)
    yield pool
    pool.services.database.close()


def admin(settings: Settings, *words: str) -> Result:
    """Run a command on a pool."""
    return CliRunner().invoke(main, ["--data-dir", str(settings.data_dir), *words])


def test_a_pool_trains_its_own_model_and_uses_it(filled: Filled) -> None:
    """The model is fitted on encodings, shown, used from the next start on, and can be put back."""
    settings = filled.services.settings
    assert "default-1" in admin(settings, "model", "show").output
    rehearsed = admin(settings, "model", "train", "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert not settings.model_file.exists()
    trained = admin(settings, "model", "train")
    assert trained.exit_code == 0, trained.output
    card = json.loads(admin(settings, "model", "show", "--json").output)
    assert card["id"].startswith("pool-")
    assert "persons of the pool" in card["card"]["data"]
    services = compose(settings)
    services.database.close()
    assert services.linker.model_id == card["id"]
    per_record = services.linker.model.kinds["person"].matches_per_record
    assert 0.5 < per_record < 1.2
    assert admin(settings, "model", "reset").exit_code == 0
    assert "default-1" in admin(settings, "model", "show").output


def test_too_little_is_said(tmp_path: Path) -> None:
    """A pool that holds too few persons is not trained on, and the message says how many are needed."""
    settings = Settings.under(tmp_path / "pool")
    assert admin(settings, "init").exit_code == 0
    refused = admin(settings, "model", "train")
    assert refused.exit_code == 1
    assert "holds 0 persons; training needs 1000" in refused.output


@pytest.mark.parametrize("content", ["{", "[]", '{"id": "x"}', '{"kinds": []}'])
def test_a_broken_model_file_stops_the_start(filled: Filled, content: str) -> None:
    """A file that is no model is named, with what to do; the pool does not silently fall back."""
    settings = filled.services.settings
    settings.model_file.write_text(content)
    try:
        shown = admin(settings, "model", "show")
    finally:
        settings.model_file.unlink()
    assert shown.exit_code == 1
    assert "is not a linkage model" in shown.output
    assert "model train" in shown.output
