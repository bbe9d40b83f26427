"""Standardisation: raw columns of a member's extract to atoms, the values that encodings are made of.

Pure functions of their input, the same at every member: no clock, no environment, no network. Nothing here raises
on bad input and no note, error or log ever carries a value. docs/standardisation.md says what is done to each field.
"""

from __future__ import annotations

from frankpledge.standardise.notes import Note
from frankpledge.standardise.subjects import organisation, person, vehicle

__all__ = ["Note", "organisation", "person", "vehicle"]
