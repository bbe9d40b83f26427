"""Atoms of many records, column by column, and the tokens that they are cut into."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from frankpledge.encode.prf import U64, BlockPrf, Bool, Derive, Ints, start, text_hashes
from matching.schema import TokenSpec

BIGRAMS = 1 << 16
"""Of two bytes."""
TEXTS_AT_ONCE = 128
"""Of few texts several tokens go through AES together, as many as this: few records take few steps."""


@functools.lru_cache(maxsize=1 << 13)
def _longest_word(street: str) -> str:
    return max(street.split(), key=len, default="")


DERIVED: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "given_initial": ("given_first", lambda given: given[:1]),
    "given_prefix": ("given_first", lambda given: given[:3]),
    "family_prefix": ("family", lambda family: family[:3]),
    "street_word": ("street", _longest_word),
    "vin_tail": ("vin", lambda vin: vin[-8:] if len(vin) >= 8 else ""),
}
"""Atoms that follow from another: which, and how. The empty text is an atom that is not known."""


class Atoms:
    """The atoms of some records, and hashes of the values of those that are named `hashed`."""

    def __init__(self, records: Sequence[Mapping[str, str]], prf: BlockPrf, hashed: Sequence[str]) -> None:
        self._records = records
        self._texts: dict[str, list[str]] = {}
        self._bigrams: dict[str, Bigrams] = {}
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

    def bigrams(self, atom: str) -> Bigrams:
        """The bigrams of the values of an atom."""
        if atom not in self._bigrams:
            self._bigrams[atom] = Bigrams(self.texts(atom))
        return self._bigrams[atom]

    def hashes(self, atoms: Sequence[str]) -> tuple[U64, Bool]:
        """Hashes of values, of shape (atoms, records, 2), and where there is one."""
        places = [self._place[atom] for atom in atoms]
        return self._hashes[places], self._known[places]


class Bigrams:
    """The bigrams of some texts, two bytes each; texts are padded, so that first and last letters weigh as the rest.

    Few of all bigrams come up: `different` are the codes of those that do, `which` of them stand in the texts, one text
    after the other.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        joined = "_" + "__".join(texts) + "_"
        encoded = joined.encode()
        if len(encoded) == len(joined):
            lengths = np.fromiter(map(len, texts), np.intp, len(texts))
        else:
            lengths = np.array([len(text.encode()) for text in texts], np.intp)
        letters = np.frombuffer(encoded, np.uint8).astype(np.uint16)
        self.different, self.which = _different(letters[:-1] | letters[1:] << np.uint16(8))
        self.known: Bool = lengths > 0
        counts = np.where(self.known, lengths + 1, 0)
        self.order: Ints = np.argsort(-counts, kind="stable")
        self._starts = (np.cumsum(lengths + 2) - lengths - 2)[self.order]
        self._last = counts[self.order] - 1
        self._holding = (len(texts) - np.cumsum(np.bincount(counts)))[:-1].tolist()

    def steps(self, at_once: int) -> Iterator[Ints]:
        """Places in `which`, of shape (some, texts): the first of each text, then the second and so on.

        Of the texts, in `order`, as many as have so many bigrams; where about `at_once` fit several are given together,
        and the last of a text stands for those that it lacks.
        """
        first = 0
        while first < len(self._holding):
            texts = self._holding[first]
            some = np.arange(first, min(len(self._holding), first + max(1, at_once // texts)))
            yield self._starts[:texts] + np.minimum(some[:, None], self._last[:texts])
            first += len(some)


def _different(codes: npt.NDArray[np.uint16]) -> tuple[Ints, Ints]:
    """The different ones of some codes, rising, and which of these each code is."""
    used = np.zeros(BIGRAMS, np.bool_)
    used[codes] = True
    different = np.flatnonzero(used)
    number = np.empty(BIGRAMS, np.intp)
    number[different] = np.arange(len(different))
    return different, number[codes]


class Tokens:
    """Keyed 64-bit hashes of tokens, each in its space: whole values, or bigrams."""

    def __init__(self, derive: Derive) -> None:
        self._prf = BlockPrf(derive("tokens"))
        self._start = functools.cache(functools.partial(start, derive))

    def whole(self, records: Atoms, specs: Sequence[TokenSpec]) -> tuple[U64, Bool]:
        """Tokens of whole values, of shape (specs, records), and where there is one."""
        starts = np.stack([self._start(f"{spec.cut}/{spec.space}") for spec in specs])
        hashes, known = records.hashes([spec.atom for spec in specs])
        return self._prf.one_way(hashes ^ starts[:, None])[..., 0], known

    def bigrams(self, bigrams: Bigrams, spec: TokenSpec) -> U64:
        """The tokens of the different bigrams of some texts."""
        blocks = np.zeros((len(bigrams.different), 2), np.uint64)
        blocks[:, 0] = bigrams.different
        return self._prf.one_way(blocks ^ self._start(f"{spec.cut}/{spec.space}"))[:, 0]
