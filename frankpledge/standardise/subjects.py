"""Whole subjects: raw columns in, atoms and notes out."""

from __future__ import annotations

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

Reader = Callable[[str, str], Reading]
"""Reads the text of one column; the second argument is the country's code, empty if not given."""

_CONTACT_READERS: dict[str, Reader] = {
    "town": lambda text, _: addresses.town(text),
    "postcode": postcodes.postcode,
    "phone": contacts.phone,
    "email": lambda text, _: contacts.email(text),
}

_COUNTRY_READER: dict[str, Reader] = {"country": lambda text, _: countries.country(text)}

_PERSON_READERS: dict[str, Reader] = {
    "given_name": lambda text, _: names.given(text),
    "family_name": lambda text, _: names.family(text),
    "date_of_birth": dates.date_of_birth,
    "sex": lambda text, _: people.sex(text),
    **_CONTACT_READERS,
    "national_id": lambda text, _: identifiers.national_id(text),
    "driving_licence": lambda text, _: identifiers.driving_licence(text),
    "bank_account": accounts.bank_account,
    "vehicle_registration": lambda text, _: vehicles.registration(text, "vehicle_registration"),
}

_VEHICLE_READERS: dict[str, Reader] = {
    "vehicle_registration": lambda text, _: vehicles.registration(text),
    "vin": lambda text, _: vehicles.vin(text),
}

_ORGANISATION_READERS: dict[str, Reader] = {
    "organisation_name": lambda text, _: organisations.name(text),
    "company_number": lambda text, _: organisations.company_number(text),
    **_CONTACT_READERS,
}


def person(raw: Mapping[str, str]) -> tuple[dict[str, str], list[Note]]:
    """Atoms of a person, and a note for each value dropped or mended. Never raises, whatever the values hold."""
    atoms, notes = _located(raw, _PERSON_READERS)
    if (atoms.get("given"), atoms.get("family")) in dummies.PEOPLE:
        atoms = {name: value for name, value in atoms.items() if not name.startswith(("given", "family"))}
        notes += [Note("given_name", DUMMY), Note("family_name", DUMMY)]
    return atoms, notes


def vehicle(raw: Mapping[str, str]) -> tuple[dict[str, str], list[Note]]:
    """Atoms registration and vin of a vehicle, and notes."""
    atoms: dict[str, str] = {}
    notes: list[Note] = []
    _read(raw, _VEHICLE_READERS, "", atoms, notes)
    return atoms, notes


def organisation(raw: Mapping[str, str]) -> tuple[dict[str, str], list[Note]]:
    """Atoms of an organisation: its name and number, and where it is reached; and notes."""
    return _located(raw, _ORGANISATION_READERS)


def _located(raw: Mapping[str, str], readers: Mapping[str, Reader]) -> tuple[dict[str, str], list[Note]]:
    """Subjects with an address: the country is read first, as it decides how dates, phones and postcodes are read."""
    atoms: dict[str, str] = {}
    notes: list[Note] = []
    _read(raw, _COUNTRY_READER, "", atoms, notes)
    _read(raw, readers, atoms.get("country", ""), atoms, notes)
    parts = addresses.address(_text(raw, "house_number", notes), _text(raw, "street", notes))
    for field, reading in zip(("house_number", "street"), parts, strict=True):
        atoms.update(reading.atoms)
        notes += [Note(field, reason) for reason in reading.reasons]
    return atoms, notes


def _read(
    raw: Mapping[str, str], readers: Mapping[str, Reader], country: str, atoms: dict[str, str], notes: list[Note]
) -> None:
    """Add the atoms and notes of each column that has a reader."""
    for field, reader in readers.items():
        if raw.get(field) and (text := _text(raw, field, notes)):
            reading = reader(text, country)
            atoms.update(reading.atoms)
            if reading.reasons:
                notes += [Note(field, reason) for reason in reading.reasons]


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
