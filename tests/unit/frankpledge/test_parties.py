"""Who and what a row speaks of."""

from __future__ import annotations

import pytest

from frankpledge.parties import Party, PartyError, of_row, of_subject

PERSON = {"given_name": "Ann", "postcode": "WR9 0AE"}
VEHICLE = {"vehicle_registration": "AB12 CDE"}
FIRM = {"organisation_name": "Acme Ltd"}


def kinds(cells: dict[str, str], role: str | None = "policyholder") -> list[tuple[str, str]]:
    """List kinds and roles found."""
    return [(party.kind, party.role) for party in of_row(cells, role)]


def test_a_row_may_hold_a_person_and_a_vehicle() -> None:
    """Each becomes a subject of its own; the mark helps to tell the person too."""
    assert of_row(PERSON | VEHICLE, "policyholder") == [
        Party("person", "policyholder", PERSON | VEHICLE),
        Party("vehicle", "insured_vehicle", VEHICLE),
    ]


def test_beside_a_person_the_address_is_the_persons() -> None:
    """An employer or garage in a person's row does not live at the person's address."""
    parties = of_row(PERSON | FIRM | {"organisation_role": "garage"}, "claimant")
    assert parties[1] == Party("organisation", "garage", FIRM)


def test_an_organisation_alone_keeps_its_address() -> None:
    """A row without a person's name is the organisation's."""
    cells = FIRM | {"postcode": "WR9 0AE", "role": "garage"}
    assert of_row(cells, None) == [Party("organisation", "garage", FIRM | {"postcode": "WR9 0AE"})]


def test_contact_data_without_a_name_is_a_person() -> None:
    """A phone number beside a vehicle, or alone, is somebody's."""
    assert kinds({"phone": "1", **VEHICLE}) == [("person", "policyholder"), ("vehicle", "insured_vehicle")]


@pytest.mark.parametrize("cells", [{}, {"ref": "P-1"}, {"sex": "f", "country": "GB"}])
def test_a_row_without_anyone_is_refused(cells: dict[str, str]) -> None:
    """Facts alone, or sex and country, speak of no one."""
    with pytest.raises(PartyError, match="no person, vehicle or organisation"):
        of_row(cells, "policyholder")


@pytest.mark.parametrize(
    ("cells", "role"),
    [
        ({}, "insured_vehicle"),
        ({"role": "third party"}, "third_party_vehicle"),
        ({"role": "third_party", "vehicle_role": "Insured vehicle"}, "insured_vehicle"),
        ({"role": "third_party_vehicle"}, "third_party_vehicle"),
        ({"role": "witness"}, "insured_vehicle"),
    ],
)
def test_a_vehicles_role_follows_from_the_row(cells: dict[str, str], role: str) -> None:
    """Its own column counts first; a third party's vehicle is a third party's vehicle."""
    assert kinds({**VEHICLE, **cells}) == [("vehicle", role)]


def test_an_organisation_takes_the_rows_role_if_it_can_have_it() -> None:
    """A policyholder may be a company; a driver may not."""
    assert kinds(PERSON | FIRM)[1] == ("organisation", "policyholder")
    with pytest.raises(PartyError) as caught:
        of_row(PERSON | FIRM | {"role": "driver"}, None)
    assert caught.value.column == "organisation_role"


def test_roles_are_needed_and_checked() -> None:
    """A person without a role, or with one that does not exist, is named."""
    with pytest.raises(PartyError, match="role: is missing"):
        of_row(PERSON, None)
    with pytest.raises(PartyError, match="role: expected one of policyholder"):
        of_row(PERSON | {"role": "butler"}, None)


def test_nested_subjects_say_their_kind_or_show_it() -> None:
    """`kind` is believed; without it the columns tell."""
    assert of_subject({"kind": "person", "role": "witness", **PERSON}, None) == [Party("person", "witness", PERSON)]
    assert [party.kind for party in of_subject({"role": "witness", **PERSON}, None)] == ["person"]
    with pytest.raises(PartyError, match="kind: expected one of person"):
        of_subject({"kind": "robot", **PERSON}, None)
    with pytest.raises(PartyError, match="nothing in it"):
        of_subject({"kind": "vehicle", **PERSON}, None)
