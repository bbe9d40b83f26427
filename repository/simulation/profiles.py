"""Who is in a generated market: archetypes, how big they are, and how they behave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from repository.domain.standing import Ramp

LINE = "motor"
CLASSES = ("customer", "claim", "suspected", "proven")
PAIRS = tuple((LINE, record_class) for record_class in CLASSES)


class Archetype(StrEnum):
    """Kinds of members."""

    HONEST_LARGE = "honest large"
    HONEST_MID = "honest mid-size"
    HONEST_SMALL = "honest small"
    HONEST_TINY = "honest tiny"
    NEWCOMER = "new entrant"
    OUTAGE = "outage"
    LATE_GIANT = "late giant"
    NEVER_ANSWERS = "never answers"
    UNDER_DECLARER = "under-declarer"
    FREE_RIDER = "free rider"
    JUNK = "junk"


@dataclass(frozen=True, slots=True)
class Size:
    """Records that arise in a month, by class, as a range that one member's rate is drawn from."""

    name: str
    per_month: Mapping[str, tuple[float, float]]


LARGE = Size("large", {"customer": (3000, 6000), "claim": (300, 600), "suspected": (6, 14), "proven": (2, 5)})
MID = Size("mid", {"customer": (400, 900), "claim": (40, 90), "suspected": (1.5, 4), "proven": (0.6, 1.4)})
SMALL = Size("small", {"customer": (25, 35), "claim": (2, 3)})
TINY = Size("tiny", {"customer": (5, 8), "claim": (1, 1)})
FEW_CLAIMS = Size("claims only", {"claim": (2, 4)})
"""As little as a member could declare to be an insurer at all."""
FEW = Size("tiny", {"customer": (5, 5), "claim": (2, 2)})


@dataclass(frozen=True, slots=True)
class Habits:
    """What a member makes of the rules. Shares are of its records unless said otherwise.

    `filed` of what arises is filed, under a covenant growing to all within `grows_days` if those are given; `late` of
    it after `late_days` instead of at once. `thin` records have too few keys; `genuine` ones can be met by those of
    others, and `by_chance` of all that are full are met in any case. `declared` is the share of its true volume it
    declares, `asks` the queries a day for each record that arises in a day. `bait`: it files one record of each class
    on its first day. `one_in`: beside all that, a claim every so many days, from its first one on. `planted`: days of
    each year on which it files a customer that it knows another member has. `back_book`: months of records from
    before, loaded with the same thoroughness three days after admission. `outage`: days without any filing.
    """

    filed: float = 1.0
    grows_days: int = 0
    late: float = 0.02
    late_days: tuple[int, int] = (8, 20)
    thin: float = 0.003
    genuine: float = 1.0
    by_chance: float = 0.0
    answered: float = 0.95
    declared: float = 1.0
    asks: float = 4.0
    bait: bool = False
    one_in: int = 0
    planted: tuple[int, ...] = ()
    back_book: int = 0
    outage: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of member: who, how big, by which ramp it came, when, and with which habits."""

    archetype: Archetype
    label: str
    size: Size
    ramp: Ramp = Ramp.COVENANT
    habits: Habits = field(default_factory=Habits)
    admitted_after: int = 0


_HONEST = Habits()
_LOADED = Habits(back_book=6)
_RIDING = Habits(filed=0.03, answered=0.1, asks=8.0)
_SILENT = Habits(filed=0.0, answered=0.0, asks=8.0)
_QUARTERLY = replace(_SILENT, one_in=91, answered=0.1)
_INVENTED = replace(_HONEST, genuine=0.0, asks=8.0)
PLANTED = "two real"
"""What the labels of invented books with a few real people in them say."""
_FIRST = Ramp.CONTRIBUTE_FIRST
_FULL_POOL = 180  # days after which a pool has filled

CAST: tuple[Profile, ...] = (
    Profile(Archetype.HONEST_LARGE, "covenant", LARGE),
    Profile(Archetype.HONEST_LARGE, "contribute first", LARGE, _FIRST, _LOADED),
    Profile(Archetype.HONEST_MID, "covenant", MID),
    Profile(Archetype.HONEST_MID, "covenant", MID),
    Profile(Archetype.HONEST_MID, "contribute first", MID, _FIRST, _LOADED),
    Profile(Archetype.HONEST_SMALL, "covenant", SMALL),
    Profile(Archetype.HONEST_SMALL, "covenant", SMALL),
    Profile(Archetype.HONEST_SMALL, "contribute first", SMALL, _FIRST, _LOADED),
    Profile(Archetype.HONEST_TINY, "covenant", TINY),
    Profile(Archetype.HONEST_TINY, "contribute first", TINY, _FIRST, _LOADED),
    Profile(
        Archetype.NEWCOMER, "covenant", MID, habits=replace(_HONEST, filed=0.3, grows_days=270), admitted_after=120
    ),
    Profile(Archetype.NEWCOMER, "contribute first", MID, _FIRST, _LOADED, admitted_after=120),
    Profile(Archetype.NEWCOMER, "covenant", SMALL, admitted_after=_FULL_POOL),
    Profile(Archetype.NEWCOMER, "covenant", TINY, admitted_after=_FULL_POOL),
    Profile(Archetype.OUTAGE, "three weeks", MID, habits=replace(_HONEST, outage=21)),
    Profile(Archetype.LATE_GIANT, "weeks late", LARGE, habits=replace(_HONEST, late=0.9, late_days=(14, 35))),
    Profile(Archetype.NEVER_ANSWERS, "no hit", MID, habits=replace(_HONEST, answered=0.0)),
    Profile(Archetype.UNDER_DECLARER, "a twentieth", LARGE, habits=replace(_HONEST, filed=0.05, declared=0.05)),
    Profile(Archetype.UNDER_DECLARER, "a tenth", MID, habits=replace(_HONEST, filed=0.1, declared=0.1, asks=12.0)),
    Profile(Archetype.FREE_RIDER, "3%, covenant", LARGE, habits=_RIDING),
    Profile(Archetype.FREE_RIDER, "3%, contribute first", MID, _FIRST, replace(_RIDING, back_book=6)),
    Profile(Archetype.FREE_RIDER, "5%, covenant", MID, habits=replace(_RIDING, filed=0.05)),
    Profile(Archetype.FREE_RIDER, "5%, covenant", SMALL, habits=replace(_RIDING, filed=0.05)),
    Profile(Archetype.FREE_RIDER, "5%, contribute first", SMALL, _FIRST, replace(_RIDING, filed=0.05, back_book=6)),
    Profile(Archetype.FREE_RIDER, "one of each, then 3%", SMALL, habits=replace(_RIDING, bait=True)),
    Profile(Archetype.FREE_RIDER, "one of each, then 3%", MID, habits=replace(_RIDING, bait=True)),
    Profile(Archetype.FREE_RIDER, "nothing, covenant", MID, habits=_SILENT),
    Profile(Archetype.FREE_RIDER, "nothing, contribute first", MID, _FIRST, _SILENT),
    Profile(Archetype.FREE_RIDER, "one a quarter, covenant", FEW_CLAIMS, habits=_QUARTERLY),
    Profile(
        Archetype.FREE_RIDER, "one a quarter, contribute first", FEW_CLAIMS, _FIRST, replace(_QUARTERLY, back_book=6)
    ),
    Profile(Archetype.FREE_RIDER, "one a quarter, covenant", FEW, habits=_QUARTERLY),
    Profile(Archetype.FREE_RIDER, "nothing, covenant", FEW_CLAIMS, habits=_SILENT),
    Profile(Archetype.JUNK, "thin", MID, habits=replace(_HONEST, thin=0.95, asks=8.0)),
    Profile(Archetype.JUNK, "thin", SMALL, habits=replace(_HONEST, thin=0.95, asks=8.0)),
    Profile(Archetype.JUNK, "invented", LARGE, habits=_INVENTED),
    Profile(Archetype.JUNK, "invented", MID, habits=_INVENTED),
    Profile(Archetype.JUNK, "invented", SMALL, habits=_INVENTED),
    Profile(Archetype.JUNK, "invented, contribute first", SMALL, _FIRST, replace(_INVENTED, back_book=6)),
    Profile(Archetype.JUNK, "invented", TINY, habits=_INVENTED),
    Profile(Archetype.JUNK, "invented, chance matches", SMALL, habits=replace(_INVENTED, by_chance=0.002)),
    Profile(Archetype.JUNK, f"invented, {PLANTED} a year", SMALL, habits=replace(_INVENTED, planted=(60, 242))),
    Profile(Archetype.JUNK, f"invented, {PLANTED} at once", SMALL, habits=replace(_INVENTED, planted=(1, 2))),
)
"""One of each, and enough honest ones to compare with: the smallest market."""

FILL = (
    Profile(Archetype.HONEST_SMALL, "covenant", SMALL),
    Profile(Archetype.HONEST_MID, "covenant", MID),
    Profile(Archetype.HONEST_SMALL, "contribute first", SMALL, _FIRST, _LOADED),
    Profile(Archetype.HONEST_TINY, "covenant", TINY),
    Profile(Archetype.HONEST_LARGE, "covenant", LARGE),
)
"""Who else is in a bigger market, in turn."""


def cast(members: int) -> tuple[Profile, ...]:
    """The profiles of a market of so many members: all of CAST, and then honest ones."""
    more = members - len(CAST)
    if more < 0:
        raise ValueError(f"a market has {len(CAST)} members at least")
    return CAST + tuple(FILL[place % len(FILL)] for place in range(more))
