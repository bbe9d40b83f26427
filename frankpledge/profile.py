"""The profile: which pool, which key file, which defaults. One TOML file, which holds no secret."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from frankpledge.errors import KitError
from matching.schema import DEFAULT_SCHEMA, UnknownSchemaError, schema_id
from matching.vocabulary import LINES, PURPOSES, RECORD_CLASSES

SECRETS = ("client_id", "client_secret", "secret", "password", "passphrase", "token")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ProfileError(KitError):
    """The config file is not as expected; names the entry."""


def default_config() -> Path:
    """Say where the config file is when no option or variable says so."""
    return Path(platformdirs.user_config_dir("frankpledge")) / "config.toml"


def default_key_file() -> Path:
    """Say where the linkage key is when nothing else says so."""
    return Path(platformdirs.user_data_dir("frankpledge")) / "linkage.key"


def default_identity_file() -> Path:
    """Say where the own identity is, by which other members' keys are received, when nothing else says so."""
    return Path(platformdirs.user_data_dir("frankpledge")) / "identity.key"


def default_pins_file() -> Path:
    """Say where the fingerprints of other members are remembered."""
    return Path(platformdirs.user_data_dir("frankpledge")) / "recipients.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """One named set of settings. `map` is heading -> column; `date_format` is strptime's.

    `schema` is the id of the pool's linkage schema, under which everything is encoded.
    `custodian` and `custodian_key` are address and public key of the scheme's custodian, if it has one.
    `names_in_clear` files the trading names of organisations as they are, so that misspelt ones match too.
    """

    name: str = "default"
    server: str | None = None
    key_file: Path = field(default_factory=default_key_file)
    schema: str = DEFAULT_SCHEMA
    custodian: str | None = None
    custodian_key: str | None = None
    record_class: str | None = None
    line: str | None = None
    purpose: str | None = None
    date_format: str | None = None
    plain_http: bool = False
    names_in_clear: bool = False
    map: Mapping[str, str] = field(default_factory=dict)

    def address(self) -> str:
        """Return the pool's address, without a slash at its end. Raises ProfileError without a safe one."""
        if not self.server:
            raise ProfileError(
                "No pool is named.", f"Set `server` in {default_config()}, or FRANKPLEDGE_SERVER, or --server."
            )
        return safe_address(self.server, plain_http=self.plain_http)


def safe_address(server: str, *, plain_http: bool) -> str:
    """Return a web address without a slash at its end. Raises ProfileError for one that is not safe."""
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProfileError("The server is not a web address.", "Write it as https://pool.example")
    if parts.username or parts.password:
        raise ProfileError("The server's address holds credentials.", "Take them out, and use `frankpledge login`.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not plain_http:
        raise ProfileError(
            "The server's address is plain http, which sends credentials in clear.",
            "Use https, or set plain_http = true if the network between is your own.",
        )
    return server.rstrip("/")


def load(path: Path | None, name: str | None, environment: Mapping[str, str]) -> Profile:
    """Read the profile; options win over the environment, the environment over the file.

    `path` None means FRANKPLEDGE_CONFIG or the usual place, where a file may be missing; a named file must be there.
    """
    named = path or (Path(environment["FRANKPLEDGE_CONFIG"]) if environment.get("FRANKPLEDGE_CONFIG") else None)
    document = _read(named or default_config(), required=named is not None)
    wanted = name or environment.get("FRANKPLEDGE_PROFILE") or "default"
    profiles = document.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(entry, dict) for entry in profiles.values()):
        raise ProfileError("`profiles` in the config file is not a table of tables.", "Write [profiles.default].")
    if wanted not in profiles and wanted != "default":
        known = ", ".join(sorted(profiles)) or "there are none"
        raise ProfileError(f"There is no profile {wanted!r}.", f"Use one of those in the config file: {known}.")
    profile = _parse(wanted, profiles.get(wanted, {}))
    if environment.get("FRANKPLEDGE_SERVER"):
        profile = replace(profile, server=environment["FRANKPLEDGE_SERVER"])
    if environment.get("FRANKPLEDGE_SCHEMA"):
        profile = replace(profile, schema=_schema(environment["FRANKPLEDGE_SCHEMA"]))
    if environment.get("FRANKPLEDGE_KEY_FILE"):
        profile = replace(profile, key_file=Path(environment["FRANKPLEDGE_KEY_FILE"]))
    return profile


def _read(path: Path, *, required: bool) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise ProfileError(f"There is no config file {path}.", "Give the right path.") from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ProfileError(f"{path} is not a TOML file.", "Check its quotes and brackets.") from None
    except OSError as error:
        raise ProfileError(f"{path} cannot be read ({error.strerror}).", "Check its permissions.") from None


def _parse(name: str, table: Mapping[str, object]) -> Profile:
    if any(secret in table for secret in SECRETS):
        raise ProfileError(
            "The config file holds credentials.",
            "Take them out; use `frankpledge login`, or FRANKPLEDGE_CLIENT_ID and FRANKPLEDGE_CLIENT_SECRET.",
        )
    unknown = table.keys() - _ENTRIES.keys()
    if unknown:
        raise ProfileError(
            f"Profile {name!r} has an unknown entry {min(unknown)!r}.", f"Known are: {', '.join(_ENTRIES)}."
        )
    for entry, value in table.items():
        wanted = _ENTRIES[entry]
        fits = isinstance(value, wanted) if isinstance(wanted, type) else value in wanted
        if not fits:
            expected = f"a {_NOUNS[wanted]}" if isinstance(wanted, type) else f"one of {', '.join(wanted)}"
            raise ProfileError(f"`{entry}` in profile {name!r} is not as expected.", f"Make it {expected}.")
    values: dict[str, object] = {"record_class" if entry == "class" else entry: value for entry, value in table.items()}
    if "key_file" in table:
        values["key_file"] = Path(str(table["key_file"])).expanduser()
    if "schema" in table:
        values["schema"] = _schema(str(table["schema"]))
    return replace(Profile(name=name), **_headings(name, values))  # type: ignore[arg-type] # the types were checked above


def _schema(said: str) -> str:
    """The id of a linkage schema by its name. One that is not known stays: whoever encodes under it is told."""
    try:
        return schema_id(said)
    except UnknownSchemaError:
        return said


def _headings(name: str, values: dict[str, object]) -> dict[str, object]:
    columns = values.get("map", {})
    if isinstance(columns, dict) and not all(isinstance(column, str) for column in columns.values()):
        raise ProfileError(
            f"`map` in profile {name!r} is not as expected.", 'Write lines like "Surname" = "family_name".'
        )
    return values


_ENTRIES: dict[str, type | tuple[str, ...]] = {
    "server": str,
    "key_file": str,
    "schema": str,
    "custodian": str,
    "custodian_key": str,
    "class": RECORD_CLASSES,
    "line": LINES,
    "purpose": PURPOSES,
    "date_format": str,
    "plain_http": bool,
    "names_in_clear": bool,
    "map": dict,
}
_NOUNS: dict[type, str] = {str: "text in quotes", bool: "true or false", dict: "table"}
