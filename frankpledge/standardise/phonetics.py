"""The phonetic code of a name."""

from __future__ import annotations

from functools import lru_cache

import jellyfish


@lru_cache(maxsize=1 << 16)
def phonetic(name: str) -> str:
    """Metaphone of a folded name, run together and lower case; empty where the name has no sound (a lone h)."""
    return jellyfish.metaphone(name.replace(" ", "")).replace(" ", "").lower()
