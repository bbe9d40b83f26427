"""What deploy/ holds fits the service: variables that are read, commands that exist, files that are there."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner

import repository
from repository.cli import main
from repository.services.checking import variables
from repository.settings import Settings

ROOT = Path(repository.__file__).parent.parent
SYSTEMD = ROOT / "deploy" / "systemd"
CONTAINER = ROOT / "deploy" / "container"
UNITS = sorted(path.name for path in SYSTEMD.iterdir() if path.suffix in (".service", ".timer"))
SERVICES = [name for name in UNITS if name.endswith(".service")]
HARDENED = {
    "User": ["frankpledge"],
    "ProtectSystem": ["strict"],
    "ProtectHome": ["yes"],
    "PrivateTmp": ["yes"],
    "PrivateDevices": ["yes"],
    "NoNewPrivileges": ["yes"],
    "CapabilityBoundingSet": [""],
    "RestrictNamespaces": ["yes"],
    "UMask": ["0077"],
}


def unit(name: str) -> dict[str, list[str]]:
    """The settings of a unit's own section, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / name).read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def compose() -> dict[str, Any]:
    """The compose file."""
    parsed: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.yaml").read_text("utf-8"))
    return parsed


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", (CONTAINER / "Containerfile").read_text("utf-8"))
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def assert_is_a_command(words: list[str]) -> None:
    """frankpledge-admin knows the command and its options: with --help there is help, and no usage error."""
    done = CliRunner().invoke(main, [*words, "--help"])
    assert done.exit_code == 0, done.output
    for option in (word for word in words if word.startswith("--")):
        assert option in done.output, f"{option} of {words}"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units(name: str) -> None:
    """It has nothing to say but that the program is not installed at that place."""
    done = subprocess.run(["systemd-analyze", "verify", SYSTEMD / name], check=False, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "frankpledge-admin is not executable" not in line]
    assert [line for line in said if "frankpledge" in line] == []


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_hardened_and_run_commands_that_exist(name: str) -> None:
    """Of each: a user of its own, no way to write but its directories, secrets as credentials, known variables."""
    found = unit(name)
    assert {key: found.get(key) for key in HARDENED} == HARDENED
    assert any(each.startswith("operator.secret:") for each in found["LoadCredential"])
    assert {each.partition("=")[0] for each in found["Environment"]} <= variables()
    for line in [*found.get("ExecStartPre", []), *found["ExecStart"]]:
        words = shlex.split(line)
        if words[0].endswith("frankpledge-admin"):
            assert_is_a_command(words[1:])


def starting() -> dict[str, list[str]]:
    """What serves or works -> what is run before it, as the units and the containers have it."""
    found = {name: unit(name).get("ExecStartPre", []) for name in SERVICES if name != "frankpledge-backup.service"}
    for name, each in compose()["services"].items():
        if name != "database" and "tools" not in each.get("profiles", []):
            found[name] = [*each.get("entrypoint", [])[2:3]]
    return found


@pytest.mark.parametrize("name", starting())
def test_what_serves_or_works_is_checked_first(name: str) -> None:
    """By check-config, on the options it would be told; in a container one command ends before the next begins."""
    (before,) = starting()[name]
    line, _, rest = before.partition("; ")
    words = shlex.split(line)
    assert words[0].endswith("frankpledge-admin")
    assert words[1] == "check-config"
    assert_is_a_command(words[1:])
    assert rest in ("", 'exec frankpledge-admin "$$@"')


def test_the_containers_pass_on_what_they_are_told(tmp_path: Path) -> None:
    """The check is made once, then the command has its words; a check that fails ends it with the same code."""
    program = tmp_path / "frankpledge-admin"
    program.write_text('#!/bin/sh\necho "$@"\n[ "$1" != check-config ] || exit "$CODE"\n')
    program.chmod(0o755)
    shell = [each.replace("$$", "$") for each in compose()["services"]["worker"]["entrypoint"]]
    for code, said in (("0", ["check-config --host 0.0.0.0", "worker run x"]), ("1", ["check-config --host 0.0.0.0"])):
        environment = {"PATH": f"{tmp_path}:{os.defpath}", "CODE": code}
        done = subprocess.run(
            [*shell, "worker", "run", "x"], check=False, capture_output=True, text=True, env=environment
        )
        assert (str(done.returncode), done.stdout.splitlines()) == (code, said)


def test_the_unit_leaves_time_to_stop() -> None:
    """The unit kills later than the service itself would, and asks the supervisor only."""
    found = unit("frankpledge.service")
    words = shlex.split(found["ExecStart"][0])
    assert int(found["TimeoutStopSec"][0]) > int(words[words.index("--stop-within") + 1])
    assert found["KillMode"] == ["mixed"]


def test_the_environment_file_has_known_variables_and_no_secret() -> None:
    """Every line of it is read, and no password is in it."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as configparser documents it
    parser.read_string("[env]\n" + (SYSTEMD / "frankpledge.env").read_text("utf-8"))
    assert set(parser["env"]) <= variables()
    settings = Settings.from_environment(dict(parser["env"]))
    assert "***" not in settings.database_url
    assert re.search(r"//[^@/]*:[^@/]*@", settings.database_url) is None


def test_compose_sets_known_variables_and_no_password() -> None:
    """Of the service's containers each variable is read; secrets are files; no port is open to other machines."""
    found = compose()
    for name, each in found["services"].items():
        for variable, value in each.get("environment", {}).items():
            assert name == "database" or variable in variables()
            assert "PASSWORD" not in variable or variable.endswith("_FILE")
            assert re.search(r"//[^@/]*:[^@/]*@", str(value)) is None
        assert set(each["secrets"]) <= found["secrets"].keys()
        assert {volume.partition(":")[0] for volume in each["volumes"]} <= found["volumes"].keys()
        assert all(port.startswith("127.0.0.1:") for port in each.get("ports", []))
        assert "no-new-privileges:true" in each["security_opt"]
        assert name in ("database", "service") or "healthcheck" in each
        if "command" in each:
            assert_is_a_command(each["command"])
    assert all(set(each) == {"file"} for each in found["secrets"].values())
    assert found["services"]["database"]["healthcheck"]["test"][1] == "pg_isready"
    Settings.from_environment({k: str(v) for k, v in found["services"]["service"]["environment"].items()})


def test_prometheus_reaches_the_worker_of_the_containers() -> None:
    """It counts for itself there, so it answers at a port that is published, as the service does at its own."""
    for name, option, port in (("service", "--port", "8080"), ("worker", "--metrics-port", "8081")):
        each = compose()["services"][name]
        assert each["command"][each["command"].index(option) + 1] == port
        assert f"127.0.0.1:{port}:{port}" in each["ports"]


def test_the_container_is_built_from_what_is_there() -> None:
    """Sources that exist and are not ignored, the Makefile's way to install from the lock, another user than root."""
    found = instructions()
    ignored = (CONTAINER / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    for name, rest in found:
        if name == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            for source in sources:
                path = source.removeprefix("./")
                assert (ROOT / path).exists(), path
                assert f"!{path}" in ignored, path
    install = r"-m pip install --quiet --disable-pip-version-check --require-hashes -r requirements"
    runs = [rest for name, rest in found if name == "RUN"]
    assert re.search(install, (ROOT / "Makefile").read_text("utf-8"))
    assert any(re.search(install + r"\.lock", each) for each in runs)
    assert all("--require-hashes" in each or "--no-deps" in each for each in runs if "pip install" in each)
    assert [rest for name, rest in found if name == "USER"] == ["10001:10001"]
    assert {name for name, _ in found} >= {"HEALTHCHECK", "STOPSIGNAL", "VOLUME"}
    (command,) = [json.loads(rest) for name, rest in found if name == "CMD"]
    assert_is_a_command(command)
    environment = next(rest for name, rest in found if name == "ENV")
    assert {each.partition("=")[0] for each in environment.split() if each.startswith("FRANK")} <= variables()
