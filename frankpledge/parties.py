"""Who and what a row speaks of: a person, a vehicle, an organisation, each in a role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from frankpledge.columns import CONTACT_COLUMNS, NAME_COLUMNS, ORGANISATION_COLUMNS, PERSON_COLUMNS, VEHICLE_COLUMNS
from frankpledge.facts import word
from matching.types import KINDS, Kind
from matching.vocabulary import ROLES

ROLE_COLUMN: dict[Kind, str] = {"person": "role", "vehicle": "vehicle_role", "organisation": "organisation_role"}
NAMING = tuple(column for column in NAME_COLUMNS if column != "sex")
"""Columns that speak of a person even beside an organisation or a vehicle."""
DRIVES = "vehicle_registration"
"""The mark of the vehicle a person is filed with helps to tell that person, besides being a vehicle of its own."""
COLUMNS: dict[Kind, tuple[str, ...]] = {
    "person": (*PERSON_COLUMNS, DRIVES),
    "vehicle": VEHICLE_COLUMNS,
    "organisation": (*ORGANISATION_COLUMNS, *CONTACT_COLUMNS),
}
LOCAL = tuple(column for column in CONTACT_COLUMNS if column != "country")


class PartyError(ValueError):
    """A party that is not as expected: the column and what was expected, never the value."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Party:
    """One subject before it is standardised: kind, role and raw columns."""

    kind: Kind
    role: str
    raw: Mapping[str, str]


def of_row(cells: Mapping[str, str], default_role: str | None) -> list[Party]:
    """Find the parties of a flat row, in the order person, vehicle, organisation. Raises PartyError.

    Beside a named person, the address and contact columns are the person's; an organisation or a vehicle alone keeps
    its own. `default_role` is the person's where the row gives none.
    """
    parties = []
    columns = _columns(cells)
    if not columns:
        raise PartyError("(row)", "has no person, vehicle or organisation in it")
    for kind, wanted in columns.items():
        raw = {column: cells[column] for column in wanted if column in cells}
        parties.append(Party(kind, _role(kind, cells, default_role), raw))
    return parties


def of_subject(cells: Mapping[str, str], default_role: str | None) -> list[Party]:
    """Find the party of one nested subject; its `kind` may be left out when its columns tell. Raises PartyError."""
    kind = next((known for known in KINDS if known == cells.get("kind")), None)
    if kind is None:
        if cells.get("kind"):
            raise PartyError("kind", f"expected one of {', '.join(KINDS)}")
        return of_row(cells, default_role)
    raw = {column: cells[column] for column in COLUMNS[kind] if column in cells}
    if not raw:
        raise PartyError("(subject)", "has nothing in it")
    return [Party(kind, _role(kind, cells, default_role), raw)]


def _columns(cells: Mapping[str, str]) -> dict[Kind, Iterable[str]]:
    found: dict[Kind, Iterable[str]] = {}
    organisation = any(column in cells for column in ORGANISATION_COLUMNS)
    named = any(column in cells for column in NAMING)
    if named or (not organisation and any(column in cells for column in LOCAL)):
        found["person"] = COLUMNS["person"]
    if any(column in cells for column in VEHICLE_COLUMNS):
        found["vehicle"] = VEHICLE_COLUMNS
    if organisation:
        found["organisation"] = ORGANISATION_COLUMNS if named else COLUMNS["organisation"]
    return found


def _role(kind: Kind, cells: Mapping[str, str], default: str | None) -> str:
    column = ROLE_COLUMN[kind]
    own, general = word(cells.get(column, "")), word(cells.get("role", "") or default or "")
    if kind == "vehicle" and not own and general not in ROLES["vehicle"]:
        general = "third_party_vehicle" if general == "third_party" else "insured_vehicle"
    role = own or general
    if role not in ROLES[kind]:
        reason = f"expected one of {', '.join(ROLES[kind])}" if role else "is missing"
        raise PartyError(column, reason)
    return role
