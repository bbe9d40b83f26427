"""Atoms to tokens: whole values, or padded bigrams."""

from __future__ import annotations

from collections.abc import Mapping

from matching.schema import Cut


def derived(atoms: Mapping[str, str]) -> dict[str, str]:
    """The atoms that are known, with those that follow from others.

    These are initials, prefixes, the longest word of a street, and a VIN's tail.
    """
    out = {name: value for name, value in atoms.items() if value}
    given, family = atoms.get("given_first", ""), atoms.get("family", "")
    if given:
        out["given_initial"] = given[0]
        out["given_prefix"] = given[:3]
    if family:
        out["family_prefix"] = family[:3]
    if words := atoms.get("street", "").split():
        out["street_word"] = max(words, key=len)
    if len(vin := atoms.get("vin", "")) >= 8:
        out["vin_tail"] = vin[-8:]
    return out


def pieces(text: str, how: Cut) -> list[str]:
    """The pieces of a value. Bigrams are padded, so that first and last letters weigh as much as the rest."""
    if how == "whole":
        return [text]
    padded = f"_{text}_"
    return [padded[at : at + 2] for at in range(len(padded) - 1)]
