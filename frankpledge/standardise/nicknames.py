"""Given names to one canonical form, so that Bill, Will and William agree.

The rule, in this order, each step deciding alone:

1. `given_names.csv`, our own list of usage in the United Kingdom and Ireland: nicknames, old abbreviations
   (Wm, Thos), spellings (Kathryn) and Welsh, Irish and Scottish forms (Sian, Eoin, Hamish), each under one canonical
   name. An ambiguous nickname stands under its most usual name only: bill is william and never robert.
2. A name in `common_names.csv`, which lists formal names by how common they are, is its own canonical form.
3. The `nicknames` package names the formal names a nickname may stand for; the commonest by that same list is taken.
   Formal names that are not in the list are passed over: most are of another time and place (basil is not bazaleel).
4. Any other name is its own canonical form.

Nothing is joined by way of a third name (no connected components): pat leads to patricia, and patrick stays patrick.
"""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from importlib.resources import files

from nicknames import NickNamer


@lru_cache(maxsize=1 << 16)
def canonical(name: str) -> str:
    """The canonical form of one folded given name; itself if nothing is known. Applying it twice changes nothing."""
    usage = usage_forms()
    if name in usage:
        return usage[name]
    ranks = common_ranks()
    if name in ranks or len(name) == 1:
        return name
    known = [formal for formal in sorted(_namer().canonicals_of(name)) if formal in ranks]
    best = min(known, key=ranks.__getitem__, default=name)
    return usage.get(best, best)


@cache
def usage_forms() -> dict[str, str]:
    """Our own list: every name in it with its canonical form; canonical forms lead to themselves."""
    forms: dict[str, str] = {}
    for row in _rows("given_names.csv"):
        forms[row["canonical"]] = row["canonical"]
        forms |= dict.fromkeys(row["names"].split(), row["canonical"])
    return forms


@cache
def common_ranks() -> dict[str, int]:
    """Formal names and their rank, the commonest first."""
    return {row["name"]: rank for rank, row in enumerate(_rows("common_names.csv"))}


def _rows(file_name: str) -> csv.DictReader[str]:
    return csv.DictReader((files("frankpledge.standardise") / file_name).read_text("ascii").splitlines())


@cache
def _namer() -> NickNamer:
    return NickNamer()
