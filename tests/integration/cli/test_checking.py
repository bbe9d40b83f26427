"""`frankpledge-admin check-config`: names every problem by its variable, and no value."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from repository import tracing
from repository.cli import main
from repository.services import checking
from repository.services.clock import now
from repository.services.installation import create_operator, install
from repository.services.weakness import is_weak_password
from repository.settings import Settings
from repository.storage.engine import Database, create_engine

DOCUMENTED = "p" * 16


@pytest.fixture
def environment(database_url: str, tmp_path: Path, quick_hashing: None) -> dict[str, str]:
    """The environment of a pool that was set up well: its secret is apart from its database."""
    made = {
        "FRANKPLEDGE_DATA_DIR": str(tmp_path / "pool"),
        "FRANKPLEDGE_DATABASE_URL": database_url,
        "FRANKPLEDGE_OPERATOR_SECRET_FILE": str(tmp_path / "apart" / "operator.secret"),
        "FRANKPLEDGE_MAX_BATCH_BYTES": "1000",
    }
    settings = Settings.from_environment(made)
    if database_url.startswith("sqlite"):
        (tmp_path / "frankpledge.db").chmod(0o600)
    install(settings)
    _operator(settings, "a password of no document")
    return made


def _operator(settings: Settings, password: str) -> None:
    database = Database(create_engine(settings.database_url))
    create_operator(database, f"operator-{len(password)}", password, now)
    database.close()


def checked(environment: dict[str, str], *options: str) -> tuple[int, list[tuple[str, str, str]]]:
    """Exit code and findings."""
    bare: dict[str, str | None] = {name: None for name in os.environ if name.startswith(("FRANKPLEDGE_", "PG"))}
    done = CliRunner().invoke(main, ["check-config", "--json", *options], env={**bare, **environment})
    assert not isinstance(done.exception, Exception) or isinstance(done.exception, SystemExit), done.exception
    told: dict[str, Any] = json.loads(done.output)
    assert told["good"] is (done.exit_code == 0)
    for name in set(environment) - {"FRANKPLEDGE_WORKER"}:
        assert environment[name] not in done.output, f"the value of {name} is shown"
    return done.exit_code, [(each["level"], each["setting"], each["expected"]) for each in told["findings"]]


def test_a_good_configuration_has_no_findings(environment: dict[str, str]) -> None:
    """What `init` made, with the secret apart from the database."""
    assert checked(environment) == (0, [])


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_every_problem_is_named_at_once(environment: dict[str, str]) -> None:
    """Several unreadable variables, and one that is misspelt, in one run."""
    wrong = environment | {
        "FRANKPLEDGE_WORKER": "perhaps",
        "FRANKPLEDGE_MAX_JSON_BYTES": "-17",
        "FRANKPLEDGE_DATABASE_URL": "mysql://nobody:hidden@nowhere/x",
        "FRANKPLEDGE_TRUSTED_PROXYS": "1",
    }
    code, found = checked(wrong)
    assert code == 1
    assert {(level, setting) for level, setting, _ in found} == {
        ("problem", "FRANKPLEDGE_WORKER"),
        ("problem", "FRANKPLEDGE_MAX_JSON_BYTES"),
        ("problem", "FRANKPLEDGE_DATABASE_URL"),
        ("problem", "FRANKPLEDGE_TRUSTED_PROXYS"),
    }
    assert any(expected.endswith("is it FRANKPLEDGE_TRUSTED_PROXIES?") for _, _, expected in found)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_another_schema_than_the_pools_is_a_problem(environment: dict[str, str]) -> None:
    """What the pool was made with is expected; a name that is no schema's cannot be read."""
    expected = "guarded/1, of which the pool in this database is"
    assert checked(environment | {"FRANKPLEDGE_SCHEMA": "broad"}) == (1, [("problem", "FRANKPLEDGE_SCHEMA", expected)])
    code, found = checked(environment | {"FRANKPLEDGE_SCHEMA": "wide"})
    assert (code, found) == (1, [("problem", "FRANKPLEDGE_SCHEMA", "a linkage schema: one of guarded/1, broad/1")])


WEAK = {
    "repeated": b"\xab" * 32,
    "a period": bytes(range(16)) * 2,
    "rising": bytes(range(32)),
    "a text": b"this is the secret of the server",
}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("secret", list(WEAK.values()), ids=list(WEAK))
def test_a_weak_operator_secret_is_refused(environment: dict[str, str], secret: bytes) -> None:
    """One that follows a pattern; it is not that of this pool either, which is said as well."""
    Path(environment["FRANKPLEDGE_OPERATOR_SECRET_FILE"]).write_text(secret.hex())
    code, found = checked(environment)
    assert code == 1
    assert [setting for _, setting, _ in found] == ["FRANKPLEDGE_OPERATOR_SECRET_FILE"] * 2
    assert any("pattern" in expected for _, _, expected in found)
    assert any("written under" in expected for _, _, expected in found)


def test_random_secrets_are_not_taken_for_weak_ones(tmp_path: Path) -> None:
    """A thousand of them."""
    path = tmp_path / "secret"
    path.touch(0o600)
    for _ in range(1000):
        path.write_text(os.urandom(32).hex())
        checking._strong_secret(path)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_files_open_to_others_are_refused(environment: dict[str, str], tmp_path: Path) -> None:
    """Secret, metrics token, data directory and database alike."""
    pool = Path(environment["FRANKPLEDGE_DATA_DIR"])
    for path in (pool / "metrics.token", tmp_path / "frankpledge.db"):
        path.chmod(0o644)
    Path(environment["FRANKPLEDGE_OPERATOR_SECRET_FILE"]).chmod(0o640)
    next((pool / "signing-keys").iterdir()).chmod(0o604)
    pool.chmod(0o755)
    code, found = checked(environment)
    assert code == 1
    settings = ("DATABASE_URL", "DATA_DIR", "METRICS_TOKEN_FILE", "OPERATOR_SECRET_FILE", "SIGNING_KEYS_DIR")
    assert sorted({setting for _, setting, _ in found}) == [f"FRANKPLEDGE_{name}" for name in settings]


def test_a_documented_password_is_refused(environment: dict[str, str]) -> None:
    """In the variable for it, and stored for an operator."""
    _operator(Settings.from_environment(environment), DOCUMENTED)
    code, found = checked(environment | {"FRANKPLEDGE_OPERATOR_PASSWORD": DOCUMENTED})
    assert code == 1
    assert [(level, setting) for level, setting, _ in found] == [
        ("problem", "FRANKPLEDGE_OPERATOR_PASSWORD"),
        ("problem", "operator account"),
        ("warning", "FRANKPLEDGE_OPERATOR_PASSWORD"),
    ]


def test_what_the_host_and_the_disk_ask_for(environment: dict[str, str]) -> None:
    """Listening to others asks for the number of proxies; a batch larger than the disk is not taken; trials are off."""
    assert checked(environment, "--host", "0.0.0.0")[1][0][1] == "FRANKPLEDGE_TRUSTED_PROXIES"  # noqa: S104
    assert checked(environment | {"FRANKPLEDGE_TRUSTED_PROXIES": "1"}, "--host", "192.0.2.1")[0] == 0
    code, found = checked(environment | {"FRANKPLEDGE_WEBHOOK_LOOPBACK": "on"})
    assert (code, found[0][1]) == (1, "FRANKPLEDGE_WEBHOOK_LOOPBACK")
    code, found = checked(environment | {"FRANKPLEDGE_MAX_BATCH_BYTES": "9" * 18})
    assert (code, found[0][1]) == (1, "FRANKPLEDGE_DATA_DIR")


def test_the_database_is_looked_at(environment: dict[str, str], tmp_path: Path) -> None:
    """One that is not there, does not answer, or whose URL gives a weak password away."""
    missing = environment | {"FRANKPLEDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"}
    assert [(level, setting) for level, setting, _ in checked(missing)[1]] == [("problem", "FRANKPLEDGE_DATABASE_URL")]
    assert not (tmp_path / "none.db").exists()
    silent = environment | {"FRANKPLEDGE_DATABASE_URL": "postgresql://frankpledge:frankpledge@127.0.0.1:9/frankpledge"}
    code, found = checked(silent)
    assert code == 1
    assert [level for level, _, _ in found] == ["problem", "problem", "warning"]
    assert {setting for _, setting, _ in found} == {"FRANKPLEDGE_DATABASE_URL"}


DOCUMENTED_ONES = (
    *(
        "changeme12345",
        "postgres1234",
        "Postgres-1234",
        "P@ssw0rd1234",
        "admin123admin",
        "Frankpledge1!",
        "letmein00000",
    ),
    *("secretsecret", "1234-password", "change_me_please!", "superuser2024"),
)
FINE = ("a password of no document", "correct horses and batteries", "tide-gravel-91-postgres", "Xk2vQ9mPz4Lw")


def test_words_of_documents_with_digits_and_signs_are_weak() -> None:
    """Whatever case they are in and whatever follows them; a word among others is none, nor is what is random."""
    assert [each for each in DOCUMENTED_ONES if not is_weak_password(each)] == []
    assert [each for each in FINE if is_weak_password(each)] == []
    assert not any(is_weak_password(secrets.token_hex(24)) for _ in range(1000))


def _file(path: Path, content: str, mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


NOWHERE = "postgresql://frankpledge@127.0.0.1:9/pool"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_password_of_the_database_is_found_wherever_it_is(environment: dict[str, str], tmp_path: Path) -> None:
    """In the query of the URL, a variable, a file of passwords that the library would read, or one of services."""

    def said(url: str, **others: str) -> list[tuple[str, str, str]]:
        found = checked(environment | {"FRANKPLEDGE_DATABASE_URL": url} | others)[1]
        return [each for each in found if "database that answers" not in each[2]]

    no_document, name = "a password that no document shows", "FRANKPLEDGE_DATABASE_URL"
    query = said(f"{NOWHERE}?password=changeme12345")
    assert [(level, where) for level, where, _ in query] == [("problem", name), ("warning", name)]
    variable = said(NOWHERE, PGPASSWORD="postgres1234")
    assert [(level, where) for level, where, _ in variable] == [("problem", "PGPASSWORD"), ("warning", "PGPASSWORD")]
    lines = "elsewhere:*:*:*:no matter\n*:*:pool:frankpledge:{}\n"
    weak = _file(tmp_path / "weak", lines.format("postgres1234"))
    for found in (said(f"{NOWHERE}?passfile={weak}"), said(NOWHERE, PGPASSFILE=str(weak))):
        assert [each[2].startswith(no_document) and "in the file" in each[2] for each in found] == [True]
    service = _file(tmp_path / "services", "[pool]\nuser=frankpledge\npassword=pool\n")
    found = said("postgresql:///pool?service=pool&host=127.0.0.1&port=9", PGSERVICEFILE=str(service))
    assert [each[2].startswith(no_document) for each in found] == [True]
    good = _file(tmp_path / "good", lines.format("gravel under the tide"))
    assert said(f"{NOWHERE}?passfile={good}") == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_file_of_passwords_is_for_its_owner_and_there(environment: dict[str, str], tmp_path: Path) -> None:
    """The library passes over one that is not, and the connection has no password."""
    for path, expected in (
        (_file(tmp_path / "open", "*:*:*:*:gravel under the tide\n", 0o644), "mode 0600"),
        (tmp_path / "none", "that is there"),
    ):
        url = f"{NOWHERE}?passfile={path}"
        code, found = checked(environment | {"FRANKPLEDGE_DATABASE_URL": url})
        assert code == 1
        assert [expected in each[2] for each in found if "database that answers" not in each[2]] == [True]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_is_counted_and_traced_and_how_many_connect(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory for metrics that cannot be one, too few connections, and traces without what sends them."""
    (tmp_path / "file").touch()
    code, found = checked(environment | {"FRANKPLEDGE_METRICS_DIR": str(tmp_path / "file" / "metrics")})
    assert (code, [each[1] for each in found]) == (1, ["FRANKPLEDGE_METRICS_DIR"])
    assert checked(environment | {"FRANKPLEDGE_METRICS_DIR": str(tmp_path / "run" / "metrics")}) == (0, [])
    assert not (tmp_path / "run").exists()
    few = environment | {"FRANKPLEDGE_DB_POOL_SIZE": "01", "FRANKPLEDGE_DB_POOL_OVERFLOW": "00"}
    code, found = checked(few)
    assert (code, [each[1] for each in found]) == (1, ["FRANKPLEDGE_DB_POOL_SIZE"])
    assert [each[:2] for each in checked(environment, "--threads", "32")[1]] == [
        ("warning", "FRANKPLEDGE_DB_POOL_SIZE")
    ]
    monkeypatch.setattr(tracing, "is_installed", lambda: False)
    code, found = checked(environment | {"FRANKPLEDGE_OTEL_ENDPOINT": "http://127.0.0.1:4318"})
    assert (code, [each[:2] for each in found]) == (0, [("warning", "FRANKPLEDGE_OTEL_ENDPOINT")])


def test_a_secret_beside_the_database_is_a_warning(tmp_path: Path, quick_hashing: None) -> None:
    """As it is by default: it serves, and is told of the risk; without --json, too."""
    settings = Settings.under(tmp_path / "all")
    install(settings)
    _operator(settings, "a password of no document")
    environment = {"FRANKPLEDGE_DATA_DIR": str(settings.data_dir)}
    code, found = checked(environment)
    assert code == 0
    assert [(level, setting) for level, setting, _ in found] == [("warning", "FRANKPLEDGE_OPERATOR_SECRET_FILE")]
    plain = CliRunner().invoke(main, ["--data-dir", str(settings.data_dir), "check-config"])
    assert "0 problems, 1 warnings" in plain.output
