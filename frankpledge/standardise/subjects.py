"""Whole subjects: raw columns in, atoms and notes out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from frankpledge.standardise import (
    accounts,
    addresses,
    contacts,
    countries,
    dates,
    dummies,
    identifiers,
    names,
    organisations,
    people,
    postcodes,
    vehicles,
)
from frankpledge.standardise.notes import DUMMY, TOO_LONG, Note, Reading

MAX_CHARACTERS = 500
"""Longer values are dropped: no field of a person is so long, and what is would swamp every comparison."""

Readers = Mapping[str, tuple[Callable[..., Reading], bool]]
"""What reads the text of a column, and whether it is told the country's code too, empty if not given."""
Pairs = list[tuple[str, str]]
"""Atoms: names and values."""

_CONTACTS: Readers = {
    "town": (addresses.town, False),
    "postcode": (postcodes.postcode, True),
    "phone": (contacts.phone, True),
    "email": (contacts.email, False),
    "bank_account": (accounts.bank_account, True),
}

_COUNTRY: Readers = {"country": (countries.country, False)}

_PERSON: Readers = {
    "given_name": (names.given, False),
    "family_name": (names.family, False),
    "date_of_birth": (dates.date_of_birth, True),
    "sex": (people.sex, False),
    **_CONTACTS,
    "national_id": (identifiers.national_id, False),
    "driving_licence": (identifiers.driving_licence, False),
    "vehicle_registration": (functools.partial(vehicles.registration, atom="vehicle_registration"), False),
}

_VEHICLE: Readers = {"vehicle_registration": (vehicles.registration, False), "vin": (vehicles.vin, False)}

_ORGANISATION: Readers = {
    "organisation_name": (organisations.name, False),
    "company_number": (organisations.company_number, False),
    **_CONTACTS,
}


def person(raw: Mapping[str, str]) -> tuple[dict[str, str], list[Note]]:
    """Atoms of a person, and a note for each value dropped or mended. Never raises, whatever the values hold."""
    atoms, notes = _located(raw, _PERSON)
    if (atoms.get("given"), atoms.get("family")) in dummies.PEOPLE:
        atoms = {name: value for name, value in atoms.items() if not name.startswith(("given", "family"))}
        notes += [Note("given_name", DUMMY), Note("family_name", DUMMY)]
    return atoms, notes


def vehicle(raw: Mapping[str, str]) -> tuple[dict[str, str], list[Note]]:
    """Atoms registration and vin of a vehicle, and notes."""
    atoms: Pairs = []
    notes: list[Note] = []
    _read(raw, _VEHICLE, "", atoms, notes)
    return dict(atoms), notes


def organisation(raw: Mapping[str, str]) -> tuple[dict[str, str], list[Note]]:
    """Atoms of an organisation: its name and number, and where it is reached; and notes."""
    return _located(raw, _ORGANISATION)


def _located(raw: Mapping[str, str], readers: Readers) -> tuple[dict[str, str], list[Note]]:
    """Subjects with an address: the country is read first, as it decides how dates, phones and postcodes are read."""
    atoms: Pairs = []
    notes: list[Note] = []
    if raw.get("country"):
        _read({"country": raw["country"]}, _COUNTRY, "", atoms, notes)
    _read(raw, readers, dict(atoms).get("country", ""), atoms, notes)
    parts = addresses.address(_text(raw, "house_number", notes), _text(raw, "street", notes))
    for field, (read, reasons) in zip(("house_number", "street"), parts, strict=True):
        atoms += read
        if reasons:
            notes += [Note(field, reason) for reason in reasons]
    return dict(atoms), notes


def _read(raw: Mapping[str, str], readers: Readers, country: str, atoms: Pairs, notes: list[Note]) -> None:
    """Add the atoms and notes of each column that has a reader."""
    # Once for each cell of a file: each call that is saved here is a twentieth of standardising.
    for field, value in raw.items():
        if not value or field not in readers:
            continue
        text = value if type(value) is str and len(value) <= MAX_CHARACTERS else _text(raw, field, notes)
        if not text:
            continue
        reader, by_country = readers[field]
        read, reasons = reader(text, country) if by_country else reader(text)
        atoms += read
        if reasons:
            notes += [Note(field, reason) for reason in reasons]


def _text(raw: Mapping[str, str], field: str, notes: list[Note]) -> str:
    """The text of a column; empty if absent, and noted if too long."""
    value = raw.get(field)
    if not value:
        return ""
    text = value if type(value) is str else str(value)
    if len(text) > MAX_CHARACTERS:
        notes.append(Note(field, TOO_LONG))
        return ""
    return text
