"""Countries to ISO 3166 two-letter codes, as far as addresses and telephone numbers need them."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold
from frankpledge.standardise.notes import DUMMY, NOTHING, UNKNOWN_COUNTRY, Reading, dropped, found

UK = frozenset({"", "gb", "gg", "je", "im"})
"""Codes under which postcodes have the UK shape; the empty code is a country not given."""

_NAMES = {
    name.strip(): code
    for code, names in {
        "gb": "uk, gbr, united kingdom, great britain, britain, england, scotland, wales, cymru, northern ireland",
        "ie": "ireland, eire, irl, republic of ireland, roi",
        "im": "isle of man, imn",
        "je": "jersey, jey",
        "gg": "guernsey, ggy",
        "au": "australia, aus",
        "nz": "new zealand, nzl",
        "us": "usa, united states, united states of america, america",
        "ca": "canada, can",
        "za": "south africa, zaf, rsa",
        "in": "india, ind",
        "pk": "pakistan, pak",
        "bd": "bangladesh, bgd",
        "lk": "sri lanka, lka",
        "cn": "china, chn",
        "hk": "hong kong, hkg",
        "ng": "nigeria, nga",
        "gh": "ghana, gha",
        "ke": "kenya, ken",
        "fr": "france, fra",
        "de": "germany, deutschland, deu",
        "es": "spain, espana, esp",
        "pt": "portugal, prt",
        "it": "italy, italia, ita",
        "nl": "netherlands, the netherlands, holland, nederland, nld",
        "be": "belgium, belgie, belgique, bel",
        "lu": "luxembourg, lux",
        "ch": "switzerland, schweiz, suisse, che",
        "at": "austria, osterreich, aut",
        "dk": "denmark, danmark, dnk",
        "se": "sweden, sverige, swe",
        "no": "norway, norge, nor",
        "fi": "finland, suomi, fin",
        "is": "iceland, isl",
        "pl": "poland, polska, pol",
        "cz": "czechia, czech republic, cze",
        "sk": "slovakia, svk",
        "hu": "hungary, hun",
        "ro": "romania, rou",
        "bg": "bulgaria, bgr",
        "gr": "greece, grc",
        "cy": "cyprus, cyp",
        "mt": "malta, mlt",
        "tr": "turkey, turkiye, tur",
        "ee": "estonia, est",
        "lv": "latvia, lva",
        "lt": "lithuania, ltu",
        "ua": "ukraine, ukr",
        "ru": "russia, russian federation, rus",
        "hr": "croatia, hrv",
        "si": "slovenia, svn",
        "rs": "serbia, srb",
        "al": "albania, alb",
    }.items()
    for name in names.split(",")
}


@lru_cache(maxsize=4096)
def country(text: str) -> Reading:
    """Atom country, a two-letter ISO code in lower case, from a code or an English name."""
    folded = " ".join(fold(text).replace(".", "").split())
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    code = _NAMES.get(folded, folded)
    if code.upper() in phonenumbers.SUPPORTED_REGIONS:
        return found("country", code)
    return dropped(DUMMY if dummies.is_placeholder(folded, compacted) else UNKNOWN_COUNTRY)
