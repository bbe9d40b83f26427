"""Headings to columns."""

from __future__ import annotations

import pytest

from frankpledge.columns import ALIASES, CANONICAL
from frankpledge.errors import KitError
from frankpledge.mapping import NoHeadingsError, UnknownHeadingsError, parse_option, plan, propose


def test_equal_names_are_taken_whatever_their_spelling() -> None:
    """Case, spaces, underscores and hyphens do not matter; nothing else is taken silently."""
    columns = plan(["REF", "Given Name", "family-name", "DateOfBirth"], {}).columns
    assert list(columns.values()) == ["ref", "given_name", "family_name", "date_of_birth"]


def test_a_file_without_headings_does_not_show_its_first_person() -> None:
    """A first line of data is not taken for headings, and nothing of it is repeated."""
    with pytest.raises(NoHeadingsError) as caught:
        plan(["John Smith", "1980-01-01", "LS7 2QX"], {})
    assert not any(word in str(caught.value) + caught.value.remedy for word in ("Smith", "1980", "LS7"))
    with pytest.raises(UnknownHeadingsError):
        plan(["Policy", "Surname"], {})


def test_unknown_headings_are_proposed_as_options() -> None:
    """Likely columns are named ready to paste, and what is like nothing is proposed to be left out."""
    with pytest.raises(UnknownHeadingsError) as caught:
        plan(["ref", "Surname", "D.O.B.", "Post Code", "cluster"], {})
    options = [proposal.option for proposal in caught.value.proposals]
    assert options == ['--map "Surname=family_name"', '--map "D.O.B.=date_of_birth"', '--map "cluster="']
    assert all(option in caught.value.remedy for option in options)


def test_proposals_can_be_pasted_back() -> None:
    """What is proposed is accepted."""
    headings = ["Policy Number", "First Name", "Last Name", "Zip", "xyzzy"]
    options = dict(parse_option(f"{p.heading}={p.column or ''}") for p in propose(headings))
    assert plan(headings, options).columns["Last Name"] == "family_name"


def test_a_column_is_proposed_once() -> None:
    """Two headings are not proposed for one column, unless their values may be joined."""
    proposals = {p.heading: p.column for p in propose(["Surname", "Last name", "Forename", "Middle name"])}
    assert sorted(column or "" for column in proposals.values()) == ["", "family_name", "given_name", "given_name"]


def test_every_alias_leads_to_its_column() -> None:
    """The list of other names has no column that does not exist and none is missing."""
    assert set(ALIASES) == set(CANONICAL)
    for column, names in ALIASES.items():
        assert {propose([name])[0].column for name in names} <= {column}


def test_unknown_headings_can_be_ignored() -> None:
    """With --ignore-unknown they are left out."""
    assert plan(["ref", "cluster"], {}, ignore_unknown=True).apply({"ref": "1", "cluster": "x"}) == {"ref": "1"}


def test_a_heading_can_be_left_out_even_if_known() -> None:
    """An empty target leaves a column out."""
    assert plan(["ref", "sex"], {"sex": ""}).apply({"ref": "1", "sex": "f"}) == {"ref": "1"}


def test_the_profile_may_name_headings_that_are_not_there() -> None:
    """A map in the profile serves many files; one on the command line is for this file."""
    usual = {"Surname": "family_name", "Town": "town"}
    assert plan(["ref", "Surname"], {}, usual=usual).columns == {"ref": "ref", "Surname": "family_name"}
    with pytest.raises(KitError, match="no heading 'Surnam'"):
        plan(["ref", "Surname"], {"Surnam": "family_name"})


def test_an_option_wins_over_the_profile() -> None:
    """The command line has the last word."""
    columns = plan(["ref", "Name"], {"Name": "organisation_name"}, usual={"Name": "family_name"}).columns
    assert columns["Name"] == "organisation_name"


def test_joinable_columns_are_joined_in_file_order() -> None:
    """First and middle names, or sort code and account number, may make one column."""
    options = {"Sort code": "bank_account", "Account": "bank_account", "First": "given_name", "Middle": "given_name"}
    columns = plan(["First", "Middle", "Sort code", "Account"], options)
    row = columns.apply({"First": "Ann", "Middle": "", "Sort code": "20-00-00", "Account": "55779911"})
    assert row == {"given_name": "Ann", "bank_account": "20-00-00 55779911"}


def test_other_collisions_are_refused() -> None:
    """Two dates of birth cannot both be right."""
    with pytest.raises(KitError, match="all mean date_of_birth"):
        plan(["DOB", "date_of_birth"], {"DOB": "date_of_birth"})


def test_a_heading_that_is_there_twice_is_refused() -> None:
    """Which of two equal headings counts is not guessed."""
    with pytest.raises(KitError, match="there twice"):
        plan(["ref", "town", "town"], {})


def test_bad_options_are_explained() -> None:
    """A --map without '=' or with an unknown column says what is wrong and what may be meant."""
    with pytest.raises(KitError, match="no '='"):
        parse_option("Surname")
    with pytest.raises(KitError, match="family_name"):
        parse_option("Surname=familyname")


def test_a_heading_may_hold_an_equals_sign() -> None:
    """The last '=' divides."""
    assert parse_option("a=b=town") == ("a=b", "town")


def test_quotes_in_a_heading_are_safe_to_paste() -> None:
    """A proposed option survives the shell."""
    assert propose(['the "$x"'])[0].option == r'--map "the \"\$x\"="'
