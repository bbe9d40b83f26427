"""The profile and its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from frankpledge.profile import Profile, ProfileError, default_config, load

FULL = """
[profiles.default]
server = "https://pool.example/"
key_file = "~/keys/linkage.key"
class = "customer"
line = "motor"
purpose = "new_business"
date_format = "%d/%m/%Y"

[profiles.default.map]
Surname = "family_name"

[profiles.claims]
line = "home"
"""


def config(tmp_path: Path, text: str) -> Path:
    """Write a config file."""
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_full_profile_is_read(tmp_path: Path) -> None:
    """Every entry lands in its place, and ~ is the home folder."""
    profile = load(config(tmp_path, FULL), None, {})
    assert profile.address() == "https://pool.example"
    assert profile.key_file == Path("~/keys/linkage.key").expanduser()
    assert (profile.record_class, profile.line, profile.purpose) == ("customer", "motor", "new_business")
    assert profile.map == {"Surname": "family_name"}
    assert profile.date_format == "%d/%m/%Y"


def test_profiles_are_chosen_by_option_then_environment(tmp_path: Path) -> None:
    """--profile wins over FRANKPLEDGE_PROFILE."""
    path = config(tmp_path, FULL)
    assert load(path, "claims", {"FRANKPLEDGE_PROFILE": "default"}).line == "home"
    assert load(path, None, {"FRANKPLEDGE_PROFILE": "claims"}).line == "home"


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A container needs no file."""
    environment = {"FRANKPLEDGE_SERVER": "http://127.0.0.1:8000", "FRANKPLEDGE_KEY_FILE": "/run/key"}
    profile = load(config(tmp_path, FULL), None, environment)
    assert profile.address() == "http://127.0.0.1:8000"
    assert profile.key_file == Path("/run/key")


def test_a_schema_is_named_by_its_id_or_its_name(tmp_path: Path) -> None:
    """`broad` is its newest version; the environment wins; one that this kit does not have is kept for the error."""
    path = config(tmp_path, '[profiles.default]\nschema = "broad"\n[profiles.ahead]\nschema = "open/9"\n')
    assert load(path, None, {}).schema == "broad/1"
    assert load(path, None, {"FRANKPLEDGE_SCHEMA": "guarded/1"}).schema == "guarded/1"
    assert load(path, "ahead", {}).schema == "open/9"
    assert Profile().schema == "guarded/1"


def test_without_a_file_there_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No config file is no error; a named one that is missing is."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_config().is_relative_to(tmp_path)
    assert load(None, None, {}) == Profile()
    with pytest.raises(ProfileError, match="There is no config file"):
        load(None, None, {"FRANKPLEDGE_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[profiles.default\n", "not a TOML file"),
        ("profiles = 5", "not a table of tables"),
        ("[profiles]\ndefault = 5", "not a table of tables"),
        ("[profiles.default]\nsurver = 'x'", "unknown entry 'surver'"),
        ("[profiles.default]\nclient_secret = 'x'", "holds credentials"),
        ("[profiles.default]\npassphrase = 'x'", "holds credentials"),
        ("[profiles.default]\nserver = 5", "`server`"),
        ("[profiles.default]\nline = 'marine'", "`line`"),
        ("[profiles.default]\nplain_http = 'yes'", "`plain_http`"),
        ("[profiles.default]\nmap = ['x']", "`map`"),
        ("[profiles.default.map]\nSurname = 5", "`map`"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, what: str) -> None:
    """Each mistake names its entry; credentials are refused, not read."""
    with pytest.raises(ProfileError, match=what):
        load(config(tmp_path, text), None, {})


def test_an_unknown_profile_lists_the_known(tmp_path: Path) -> None:
    """A misspelt name is answered with the names there are."""
    with pytest.raises(ProfileError, match="claims, default"):
        load(config(tmp_path, FULL), "clams", {})


@pytest.mark.parametrize(
    ("server", "what"),
    [
        (None, "No pool is named"),
        ("pool.example", "not a web address"),
        ("ftp://pool.example", "not a web address"),
        ("http://pool.example", "plain http"),
        ("https://user:pass@pool.example", "holds credentials"),
    ],
)
def test_unsafe_addresses_are_refused(server: str | None, what: str) -> None:
    """Credentials do not travel in clear, nor in an address."""
    with pytest.raises(ProfileError, match=what):
        Profile(server=server).address()


@pytest.mark.parametrize("server", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_plain_http_is_for_this_machine(server: str) -> None:
    """The loopback needs no TLS; another host only when the profile says so."""
    assert Profile(server=server).address() == server
    assert Profile(server="http://pool:8000", plain_http=True).address() == "http://pool:8000"
