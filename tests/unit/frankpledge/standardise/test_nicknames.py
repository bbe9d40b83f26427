"""Nicknames to canonical names."""

from __future__ import annotations

import pytest

from frankpledge.standardise.nicknames import canonical, common_ranks, usage_forms


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bill", "william"),
        ("will", "william"),
        ("wm", "william"),
        ("bob", "robert"),
        ("peggy", "margaret"),
        ("jack", "john"),
        ("harry", "henry"),
        ("bess", "elizabeth"),
        ("polly", "mary"),
        ("sandy", "alexander"),
        ("sian", "jane"),
        ("sean", "john"),
        ("eoin", "john"),
        ("hamish", "james"),
        ("kathryn", "catherine"),
        ("katherine", "catherine"),
        ("steven", "stephen"),
        ("jeffrey", "geoffrey"),
        ("muhammad", "mohammed"),
    ],
)
def test_usage_here_comes_first(name: str, expected: str) -> None:
    """British and Irish nicknames, spellings and forms lead to the name they stand for."""
    assert canonical(name) == expected


@pytest.mark.parametrize(
    "name", ["frances", "francis", "joan", "jean", "ian", "george", "georgina", "leslie", "lesley", "basil", "felix"]
)
def test_formal_names_are_not_joined_through_a_shared_nickname(name: str) -> None:
    """Names that merely share a nickname in some list stay apart."""
    assert canonical(name) == name


def test_the_package_fills_in_what_our_list_lacks() -> None:
    """A nickname only the package knows leads to the commonest formal name it may stand for."""
    assert not {"howie", "scottie"} & set(usage_forms())
    assert canonical("howie") == "howard"
    assert canonical("scottie") == "scott"


@pytest.mark.parametrize("name", ["j", "zebedee", "quetzal"])
def test_unknown_names_and_initials_stay(name: str) -> None:
    """What nothing is known of is its own canonical form."""
    assert canonical(name) == name


def test_no_name_stands_under_two_canonical_forms() -> None:
    """Each name of our list has one canonical form, and canonical forms lead to themselves."""
    forms = usage_forms()
    assert all(forms[form] == form for form in forms.values())


def test_common_names_are_listed_once() -> None:
    """The order of common names has no doubles, so that a rank is a rank."""
    ranks = sorted(common_ranks().values())
    assert ranks == list(range(len(ranks)))
