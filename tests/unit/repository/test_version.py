"""The version is written once for people and once for packaging."""

from __future__ import annotations

import tomllib
from pathlib import Path

import repository


def test_the_version_is_that_of_the_project() -> None:
    """`repository.__version__` and pyproject.toml agree."""
    project = Path(repository.__file__).parent.parent / "pyproject.toml"
    assert tomllib.loads(project.read_text("utf-8"))["project"]["version"] == repository.__version__
