"""Atoms of many records, column by column, and the tokens that they are cut into."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from frankpledge.encode.prf import U64, BlockPrf, Bool, Derive, Ints, byte_lengths, start, text_hashes
from matching.schema import TokenSpec

TEXTS_AT_ONCE = 128
"""Of few texts several tokens go through AES together, as many as this: few records take few steps."""


@functools.lru_cache(maxsize=1 << 13)
def _longest_word(street: str) -> str:
    return max(street.split(), key=len, default="")


DERIVED: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "street_word": ("street", _longest_word),
    "vin_tail": ("vin", lambda vin: vin[-8:] if len(vin) >= 8 else ""),
}
"""Atoms that follow from another: which, and how. The empty text is an atom that is not known."""


class Atoms:
    """The atoms of some records, and hashes of the values of those that are named `hashed`."""

    def __init__(self, records: Sequence[Mapping[str, str]], prf: BlockPrf, hashed: Sequence[str]) -> None:
        self._records = records
        self._texts: dict[str, list[str]] = {}
        self._place = {atom: at for at, atom in enumerate(hashed)}
        self._hashes = np.zeros((len(hashed), len(records), 2), np.uint64)
        self._known = np.zeros((len(hashed), len(records)), np.bool_)
        names = set().union(*records)
        held = [at for at, atom in enumerate(hashed) if DERIVED.get(atom, (atom,))[0] in names]
        texts = [text for at in held for text in self.texts(hashed[at])]
        hashes, lengths = text_hashes(prf, texts)
        self._hashes[held] = hashes.reshape(len(held), len(records), 2)
        self._known[held] = lengths.reshape(len(held), len(records)) > 0

    def __len__(self) -> int:
        """How many records."""
        return len(self._records)

    def texts(self, atom: str) -> list[str]:
        """The values of an atom, record by record; empty where it is not known."""
        if atom not in self._texts:
            if atom in DERIVED:
                source, derive = DERIVED[atom]
                self._texts[atom] = [derive(text) for text in self.texts(source)]
            else:
                self._texts[atom] = [record.get(atom, "") for record in self._records]
        return self._texts[atom]

    def hashes(self, atoms: Sequence[str]) -> tuple[U64, Bool]:
        """Hashes of values, of shape (atoms, records, 2), and where there is one."""
        places = [self._place[atom] for atom in atoms]
        return self._hashes[places], self._known[places]


@dataclass(frozen=True, slots=True)
class Bigrams:
    """The tokens of bigrams of some records' texts.

    `different` are the tokens that come up, `which` of them stand in the texts. `starts` and `counts`, of shape (texts
    of a record, records), say from where on a text's stand there, and how many; an empty text has none.
    """

    different: U64
    which: Ints
    starts: Ints
    counts: Ints

    def part(self, texts: slice) -> Bigrams:
        """Those of some texts of each record."""
        return replace(self, starts=self.starts[texts], counts=self.counts[texts])


class Steps:
    """The bigrams of some texts, the first of each, then the second and so on; of the longest texts first."""

    def __init__(self, starts: Ints, counts: Ints) -> None:
        self.order: Ints = np.argsort(-counts, kind="stable")
        self._starts, self._last = starts[self.order], counts[self.order] - 1
        self._holding = (len(counts) - np.cumsum(np.bincount(counts)))[:-1].tolist()

    def places(self, at_once: int) -> Iterator[Ints]:
        """Places in `Bigrams.which`, of shape (some, texts): of as many texts, in `order`, as have so many bigrams.

        Where about `at_once` fit, several of each text are given together, and the last of a text stands for those that
        it lacks.
        """
        first = 0
        while first < len(self._holding):
            texts = self._holding[first]
            some = np.arange(first, min(len(self._holding), first + max(1, at_once // texts)))
            yield self._starts[:texts] + np.minimum(some[:, None], self._last[:texts])
            first += len(some)


class Tokens:
    """Keyed 64-bit hashes of tokens, each in its space: whole values, or bigrams."""

    def __init__(self, derive: Derive) -> None:
        self._prf = BlockPrf(derive("tokens"))
        self._start = functools.cache(functools.partial(start, derive))

    def whole(self, records: Atoms, specs: Sequence[TokenSpec]) -> tuple[U64, Bool]:
        """Tokens of whole values, of shape (specs, records), and where there is one."""
        hashes, known = records.hashes([spec.atom for spec in specs])
        starts = self._starts([f"{spec.cut}/{spec.space}" for spec in specs])
        return self._prf.one_way(hashes ^ starts[:, None])[..., 0], known

    def bigrams(self, records: Atoms, specs: Sequence[TokenSpec]) -> Bigrams:
        """Tokens of bigrams, a text of each record for each spec.

        Texts are padded, so that their first and last letters weigh as much as the others.
        """
        texts = [text for spec in specs for text in records.texts(spec.atom)]
        encoded = "".join([f"_{text}_" for text in texts]).encode()
        lengths = byte_lengths(texts, len(encoded) - 2 * len(texts))
        uses = [f"{spec.cut}/{spec.space}" for spec in specs]
        spaces = list(dict.fromkeys(uses))
        space = np.repeat(np.array([spaces.index(use) for use in uses], np.intp), len(records))
        letters = np.frombuffer(encoded, np.uint8).astype(np.intp)
        codes = letters[:-1] + (letters[1:] << 8) + np.repeat(space << 16, lengths + 2)[:-1]
        different, which = _different(codes, len(spaces) << 16)
        blocks = np.zeros((len(different), 2), np.uint64)
        blocks[:, 0] = different & 0xFFFF
        blocks ^= self._starts(spaces)[different >> 16]
        starts, counts = np.cumsum(lengths + 2) - lengths - 2, np.where(lengths > 0, lengths + 1, 0)
        shape = len(specs), len(records)
        return Bigrams(self._prf.one_way(blocks)[:, 0], which, starts.reshape(shape), counts.reshape(shape))

    def _starts(self, uses: Sequence[str]) -> U64:
        return np.array([self._start(use) for use in uses], np.uint64).reshape(-1, 2)


def _different(codes: Ints, below: int) -> tuple[Ints, Ints]:
    """The different ones of some numbers, rising, and which of these each is."""
    used = np.zeros(below, np.bool_)
    used[codes] = True
    different = np.flatnonzero(used)
    number = np.empty(below, np.intp)
    number[different] = np.arange(len(different))
    return different, number[codes]
