"""The command frankpledge-admin, as an operator types it."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import create_app
from repository.api.base import EXTENSION
from repository.cli import main
from repository.settings import Settings

PASSWORD = "a long enough password"
OPERATOR = {"FRANKPLEDGE_OPERATOR_PASSWORD": PASSWORD}
USER = {"FRANKPLEDGE_USER_PASSWORD": PASSWORD}
Admin = Callable[..., Result]


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Where the pool of a test is to be."""
    return tmp_path / "pool"


@pytest.fixture
def admin(pool: Path, monkeypatch: pytest.MonkeyPatch, quick_hashing: None) -> Admin:
    """Runs a command on that pool; `admin("member", "list")`."""
    for name in ("DATA_DIR", "DATABASE_URL", "OPERATOR_PASSWORD", "USER_PASSWORD"):
        monkeypatch.delenv(f"FRANKPLEDGE_{name}", raising=False)
    return lambda *words, **options: CliRunner().invoke(main, ["--data-dir", str(pool), *words], **options)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool that was set up, to copy."""
    pool = tmp_path_factory.mktemp("made") / "pool"
    done = CliRunner(env=OPERATOR).invoke(main, ["--data-dir", str(pool), "init"])
    assert done.exit_code == 0, done.output
    return pool


@pytest.fixture
def ready(admin: Admin, pool: Path, made_once: Path) -> Admin:
    """Runs a command on a pool that was set up."""
    shutil.copytree(made_once, pool)
    return admin


def test_init_sets_a_pool_up(admin: Admin, pool: Path) -> None:
    """Secrets that only their owner reads, tables, an operator whose password is shown once, an accepted key."""
    done = admin("init", "--fingerprint", "0123456789ABCDEF")
    assert done.exit_code == 0, done.output
    secret = pool / "operator.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE((pool / "signing-keys" / "0001.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(pool.stat().st_mode) == 0o700
    token = pool / "metrics.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text().strip() not in done.output
    assert secret.read_text().strip() not in done.output
    app = create_app(Settings.under(pool))
    client = app.test_client()
    assert client.get("/readyz").get_json()["status"] == "ready"
    scrape = {"Authorization": f"Bearer {token.read_text().strip()}"}
    assert client.get("/metrics", headers=scrape).status_code == 200
    (schema,) = client.get("/v1/scheme").get_json()["schemas"]
    assert schema["fingerprints"] == ["0123456789abcdef"]
    password = re.search(r"shown only now: (\S+)", done.output)
    assert password is not None
    body = {"grant_type": "password", "username": "operator", "password": password[1]}
    assert client.post("/v1/auth/token", json=body).status_code == 200
    app.extensions[EXTENSION].database.close()


def test_init_again_keeps_what_is_there(ready: Admin, pool: Path) -> None:
    """A second init changes neither secret nor key nor account, and may add an accepted key."""
    names = ("operator.secret", "signing-keys/0001.pem", "metrics.token")
    before = {path: path.read_bytes() for path in (pool / name for name in names)}
    done = ready("init", "--fingerprint", "f" * 16)
    assert done.exit_code == 0
    assert "created" not in done.output
    assert {path: path.read_bytes() for path in before} == before
    assert "f" * 16 in ready("fingerprint", "list").output


def test_a_wrong_fingerprint_is_refused_before_anything_is_made(admin: Admin, pool: Path) -> None:
    """A mistyped option leaves no half-made pool."""
    done = admin("init", "--fingerprint", "xyz")
    assert done.exit_code == 2
    assert "16 hex digits" in done.output
    assert not pool.exists()


@pytest.mark.parametrize("words", [("member", "list"), ("migrate",), ("fingerprint", "list"), ("worker", "status")])
def test_without_a_pool_init_is_named(admin: Admin, pool: Path, words: tuple[str, ...]) -> None:
    """Each command that needs a pool says that there is none, and makes none."""
    done = admin(*words)
    assert done.exit_code == 1
    assert "frankpledge-admin init" in done.output
    assert not pool.exists()


def test_an_open_secret_is_refused(ready: Admin, pool: Path) -> None:
    """A secret file that others may read stops the command, with the remedy."""
    (pool / "operator.secret").chmod(0o640)
    done = ready("init")
    assert done.exit_code == 1
    assert "chmod 600" in done.output


def test_another_secret_is_refused(ready: Admin, pool: Path) -> None:
    """A secret that the pool was not written under is refused: going on would make the pool unreadable."""
    (pool / "operator.secret").write_text("ab" * 32)
    done = ready("init")
    assert done.exit_code == 1
    assert "not the one this pool was written under" in done.output


def test_a_member_from_admission_to_withdrawal(ready: Admin) -> None:
    """Admit, issue a credential, list, suspend, reinstate, withdraw."""
    admitted = json.loads(ready("member", "add", "Alpha", "--line", "motor", "--line", "home", "--json").output)
    assert admitted["lines"] == ["home", "motor"]
    issued = json.loads(ready("credential", "issue", "Alpha", "--role", "screener", "--json").output)
    assert issued["client_id"].startswith("act_")
    assert "active" in ready("member", "list").output
    assert ready("member", "suspend", admitted["id"], "--reason", "queries without a case").exit_code == 0
    assert json.loads(ready("member", "list", "--json").output)[0]["status"] == "suspended"
    assert ready("member", "reinstate", "Alpha").exit_code == 0
    assert ready("member", "withdraw", "Alpha", input="n\n").exit_code == 1
    assert ready("member", "withdraw", "Alpha", "--yes").exit_code == 0
    done = ready("member", "reinstate", "Alpha")
    assert (done.exit_code, "admit the member anew" in done.output) == (1, True)
    assert ready("credential", "disable", issued["client_id"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("member", "add", "Alpha", "--line", "motor"), "a member of that name exists"),
        (("member", "add", " ", "--line", "motor"), "a member needs a name"),
        (("credential", "issue", "Nobody", "--role", "screener"), "there is no such member"),
        (("member", "suspend", "Nobody", "--reason", "any"), "there is no such member"),
        (("user", "add", "ann", "--role", "auditor"), "at least 12 characters"),
        (("user", "add", "operator", "--role", "auditor"), "a user of that name exists"),
        (("user", "add", "ann", "--role", "screener"), "expected one or more roles of"),
        (("user", "add", "ann", "--role", "operator", "--member", "Alpha"), "roles of"),
        (("user", "disable", "act_nobody"), "there is no such user"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(ready: Admin, words: tuple[str, ...], said: str) -> None:
    """An error of the operator's ends with exit code 1 and a sentence, and without a trace back."""
    ready("member", "add", "Alpha", "--line", "motor")
    done = ready(*words, env={"FRANKPLEDGE_USER_PASSWORD": "short" if "12" in said else PASSWORD})
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_typing_error_shows_the_usage(ready: Admin) -> None:
    """An unknown line, role or command ends with exit code 2."""
    assert ready("member", "add", "Alpha", "--line", "boats").exit_code == 2
    assert ready("credential", "issue", "Alpha", "--role", "emperor").exit_code == 2
    assert ready("fingerprint", "add", "xyz").exit_code == 2
    assert ready("conquer").exit_code == 2


def test_a_person_is_added_and_taken_away(ready: Admin) -> None:
    """A member's person, and one outside of members."""
    ready("member", "add", "Alpha", "--line", "motor")
    done = ready("user", "add", "ann", "--role", "investigator", "--member", "Alpha", env=USER)
    assert done.exit_code == 0, done.output
    actor = re.search(r"act_\w+", done.output)
    assert actor is not None
    assert ready("user", "disable", actor[0]).exit_code == 0
    assert ready("user", "add", "adam", "--role", "auditor", env=USER).exit_code == 0


def _logs_in(pool: Path, username: str, password: str) -> bool:
    app = create_app(Settings.under(pool))
    body = {"grant_type": "password", "username": username, "password": password}
    answer = app.test_client().post("/v1/auth/token", json=body)
    app.extensions[EXTENSION].database.close()
    return answer.status_code == 200


@pytest.mark.parametrize("words", [("init",), ("user", "add", "ann", "--role", "auditor")])
def test_no_password_is_taken_from_the_command_line(ready: Admin, words: tuple[str, ...]) -> None:
    """Every user of the machine sees the arguments of a process: there is no option that takes a password."""
    done = ready(*words, "--password", PASSWORD)
    assert done.exit_code == 2
    assert "No such option" in done.output
    assert PASSWORD not in done.output


def test_a_password_comes_from_a_file_or_standard_input_or_a_prompt(ready: Admin, pool: Path, tmp_path: Path) -> None:
    """The first line of a file or of standard input, without its end; else asked for twice, and not shown."""
    (tmp_path / "password").write_text(f"{PASSWORD} one\r\nmore")
    add = ("user", "add", "--role", "auditor")
    assert ready(*add, "ann", "--password-file", str(tmp_path / "password"), env=USER).exit_code == 0
    assert ready(*add, "ben", "--password-file", "-", input=f"{PASSWORD} two\n").exit_code == 0
    asked = ready(*add, "eve", input=f"{PASSWORD} three\n" * 2)
    assert asked.exit_code == 0, asked.output
    assert PASSWORD not in asked.output
    for username, word in (("ann", "one"), ("ben", "two"), ("eve", "three")):
        assert _logs_in(pool, username, f"{PASSWORD} {word}")


def test_init_takes_the_operator_s_password_from_a_file(admin: Admin, pool: Path, tmp_path: Path) -> None:
    """A password that was given is not shown, and an empty one is refused instead of replaced."""
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "empty").touch()
    assert admin("init", "--password-file", str(tmp_path / "empty")).exit_code == 1
    done = admin("init", "--password-file", str(tmp_path / "password"))
    assert done.exit_code == 0, done.output
    assert "shown only now" not in done.output
    assert PASSWORD not in done.output
    assert _logs_in(pool, "operator", PASSWORD)


def test_signing_keys_rotate(ready: Admin, pool: Path) -> None:
    """A rotation adds a key that signs; the older one still verifies."""
    assert ready("key", "rotate-signing").exit_code == 0
    listed = ready("key", "list").output
    assert listed.count("verifies") == 2
    assert listed.count("signs and verifies") == 1
    assert len(list((pool / "signing-keys").glob("*.pem"))) == 2


def test_a_settings_error_names_the_variable(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that cannot be read stops every command, by name and without its value."""
    monkeypatch.setenv("FRANKPLEDGE_DATABASE_URL", "mysql://root:hunter2@db/pool")
    done = admin("member", "list")
    assert done.exit_code == 1
    assert "FRANKPLEDGE_DATABASE_URL: expected an URL such as" in done.output
    assert "hunter2" not in done.output


def test_a_database_that_does_not_answer_is_said(ready: Admin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No server behind the URL: one sentence, exit code 1, no password."""
    monkeypatch.setenv("FRANKPLEDGE_DATABASE_URL", f"postgresql://u:hunter2@/pool?host={tmp_path}")
    done = ready("member", "list")
    assert done.exit_code == 1
    assert "the database does not answer" in done.output
    assert "hunter2" not in done.output


def test_serve_refuses_what_would_fail_later(ready: Admin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A database without tables is noticed before anything listens."""
    monkeypatch.setenv("FRANKPLEDGE_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    done = ready("serve", "--port", "1")
    assert done.exit_code == 1
    assert "frankpledge-admin migrate" in done.output


def test_migrate_makes_the_tables_and_says_when_they_are_there(
    ready: Admin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first run migrates, the second has nothing to do."""
    monkeypatch.setenv("FRANKPLEDGE_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    assert "were brought up" in ready("migrate").output
    assert "are those of this version" in ready("migrate").output


def test_worker_status_of_an_idle_pool(ready: Admin) -> None:
    """No worker, no batches."""
    assert json.loads(ready("worker", "status", "--json").output) == {
        "batches": {},
        "oldest_waiting": None,
        "worker": False,
    }
    assert "not running" in ready("worker", "status").output


def test_a_membership_is_renewed(ready: Admin) -> None:
    """A yearly attestation, a new agreement and other lines are recorded; what is not given stays."""
    assert ready("member", "add", "Alpha", "--line", "motor", "--attested", "2025-01-01").exit_code == 0
    done = ready("member", "renew", "Alpha", "--attested", "2026-02-01", "--line", "home", "--line", "pet")
    assert done.exit_code == 0, done.output
    member = json.loads(ready("member", "list", "--json").output)[0]
    assert member["attested_on"] == "2026-02-01"
    assert sorted(member["lines"]) == ["home", "pet"]
    assert ready("member", "renew", "Alpha").exit_code == 2
    unknown = ready("member", "renew", "Nobody", "--line", "pet")
    assert unknown.exit_code == 1
    assert "Traceback" not in unknown.output


def test_a_linkage_key_is_retired(ready: Admin) -> None:
    """A retired fingerprint is accepted no more; one that never was is an error."""
    assert ready("fingerprint", "add", "0123456789abcdef").exit_code == 0
    assert ready("fingerprint", "retire", "0123456789ABCDEF").exit_code == 0
    listed = ready("fingerprint", "list").output.splitlines()[1].split()
    assert listed == ["guarded/1", "0123456789abcdef", "no"]
    assert ready("fingerprint", "retire", "0123456789abcdef").exit_code == 2
