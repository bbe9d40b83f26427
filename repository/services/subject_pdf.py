"""A report for a person as pages to print: of the same report always the same bytes, and nothing that it has not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

import orjson
from anyascii import anyascii
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped] # reportlab ships no types
from reportlab.lib.enums import TA_LEFT  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

_PLAIN, _BOLD = "Vera", "VeraBd"
_INK, _FAINT, _LINE, _SHADE = (HexColor(each) for each in ("#1b2430", "#5b6673", "#c9d0d8", "#eef1f5"))
_MARGIN, _FOOT, _FRAME = 20 * mm, 12 * mm, 6
_WIDTH = A4[0] - 2 * _MARGIN
_TITLES = {
    "access": "What the register holds on you",
    "dispute": "What you said is wrong with records on you",
    "erasure": "What became of your request for erasure",
    "restriction": "What became of your request for restriction",
    "victim": "Your registration as a victim",
    "protective": "Your registration for protection",
}
_CLASSES = {
    "customer": "Customer",
    "claim": "Claim",
    "suspected": "Suspected case",
    "proven": "Proven case",
    "victim": "Victim of misused identity",
    "protective": "Protective registration",
}
_VIA = {
    "screening": "an enquiry",
    "hits": "a list of matches",
    "hit": "a match",
    "case": "a case",
    "disclosure": "a request for detail",
    "notice": "a notice",
    "report": "a report like this",
    "network": "a network of claims",
}
_LABELS = {"tlp": "traffic light", "source": "source", "information": "information", "code": "handling"}
_DECISIONS = {"erase": "erased", "restrict": "restricted", "correct": "corrected", "refuse": "refused"}


def render(report: bytes) -> bytes:
    """The pages of a report that was made as JSON."""
    _fonts()
    told = orjson.loads(report)
    digest = hashlib.sha256(report).hexdigest()
    out = BytesIO()
    title = _TITLES[told["kind"]]
    pages = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN - _FRAME,
        rightMargin=_MARGIN - _FRAME,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + _FOOT,
        title=title,
        author=told["member"],
        subject=told["request"],
        lang="en-GB",
        invariant=1,
    )
    pages.build(list(_story(told, title)), canvasmaker=lambda *a, **k: _Numbered(told["request"], digest, *a, **k))
    return out.getvalue()


class _Numbered(Canvas):  # type: ignore[misc] # untyped, see the import
    """Pages with a foot that says how many there are, known once all are drawn."""

    def __init__(self, request: str, digest: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._foot = f"{request}  ·  report {digest[:16]}"
        self._drawn: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab calls it so
        """Keep a page until the last is known."""
        self._drawn.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Draw the feet, and write all pages."""
        for place, page in enumerate(self._drawn, 1):
            self.__dict__.update(page)
            self.setStrokeColor(_LINE)
            self.line(_MARGIN, _MARGIN + 2 * mm, A4[0] - _MARGIN, _MARGIN + 2 * mm)
            self.setFont(_PLAIN, 7)
            self.setFillColor(_FAINT)
            self.drawString(_MARGIN, _MARGIN - 2 * mm, self._foot)
            self.drawRightString(A4[0] - _MARGIN, _MARGIN - 2 * mm, f"Page {place} of {len(self._drawn)}")
            super().showPage()
        super().save()


def _story(told: Mapping[str, Any], title: str) -> Iterator[Flowable]:
    yield _text(title, _TITLE)
    yield _facts(
        [
            ("Asked through", told["member"]),
            ("Its reference", told["reference"]),
            ("Received", _day(told["received_on"])),
            ("To be answered by", _day(told["due_on"])),
            ("Made", f"{_day(told['made_on'])}, version {told['version']}"),
            ("Rules", f"rulebook {told['rulebook']}"),
        ]
    )
    if told["registration"] is not None:
        yield from _registration(told["registration"])
    else:
        yield from _records(told)
    yield _text("What a report may leave out", _HEADING)
    yield _text(told["withheld"])
    if told["untold_purposes"]:
        untold = ", ".join(map(_words, told["untold_purposes"]))
        yield _text(f"Who looked for these purposes is in nobody's report: {untold}.")
    yield _text("Your rights, and how to use them", _HEADING)
    for each in told["rights"]:
        yield _text(
            f"<font name='{_BOLD}'>{_safe(_words(each['right']).capitalize())}.</font> {_safe(each['how'])}", raw=True
        )


def _records(told: Mapping[str, Any]) -> Iterator[Flowable]:
    records = told["records"]
    yield _text("Records", _HEADING)
    if not records:
        yield _text("There is no record on you that may be told.")
        return
    number = "One record" if len(records) == 1 else f"{len(records)} records"
    yield _text(f"{number}. A record says what its holder filed; it is no verdict on anybody.")
    for place, record in enumerate(records, 1):
        yield from _record(place, record)


def _record(place: int, record: Mapping[str, Any]) -> Iterator[Flowable]:
    heading = _text(f"{place}. {_CLASSES[record['class']]}, {_words(record['line'])}", _SUBHEADING)
    yield KeepTogether([heading, _facts(list(_told(record)))])
    looked = record["looked_at"]
    if not looked:
        yield _text("Nobody is listed as having been shown this record in the last 12 months.", _SMALL)
        return
    rows = [("Who was shown it", "On", "What for", "In")]
    rows += [(each["by"], _day(each["on"]), _words(each["purpose"]), _VIA[each["via"]]) for each in looked]
    yield Spacer(1, 2 * mm)
    yield _table(rows)


def _told(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Held by", record["held_by"]
    yield "Number to quote", record["record"]
    if record["erased"] is not None:
        yield "Erased", _erased(record["erased"])
    else:
        yield "You are in it as", ", ".join(map(_words, record["roles"]))
        yield "Its date", _day(record["date"])
        yield "Filed", f"first {_day(record['first_filed_on'])}, last {_day(record['last_filed_on'])}"
        if record["claim"]:
            yield "The claim", _claim(record["claim"])
        if record["labels"]:
            yield "Labels", ", ".join(f"{_LABELS[name]} {_words(word)}" for name, word in record["labels"].items())
        if record["flag"]:
            yield "Flag", _words(record["flag"])
        yield "Kept until", f"{_day(record['expires_on'])}, counted from {_day(record['kept_from'])}"
    yield from _became(record)


def _became(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if record["deferred"]:
        deferred = record["deferred"]
        yield "Told later", f"held back up to {_day(deferred['until'])}: {_words(deferred['reason'])}"
    if record.get("decision"):
        yield "Your request", _decision(record["decision"])
    if record.get("dispute"):
        yield "The dispute", _words(record["dispute"]["status"])


def _registration(made: Mapping[str, Any]) -> Iterator[Flowable]:
    rows = [("Registered", f"{_CLASSES[made['class']]}, {_words(made['line'])}, {_day(made['registered_on'])}")]
    rows += [("Number to quote", made["filing"])]
    if made["erased"] is not None:
        rows += [("Ended", _erased(made["erased"]))]
    else:
        rows += [("Kept until", f"{_day(made['expires_on'])}, or until you wish it to end")]
    yield _text("Receipt", _HEADING)
    yield _facts(rows)


def _claim(claim: Mapping[str, str]) -> str:
    days = f"incident {_day(claim['incident_date'])}, notified {_day(claim['notification_date'])}"
    amount = f", {claim['amount_band']}" if claim.get("amount_band") else ""
    return f"{_words(claim['kind'])}, {_words(claim['status'])}{amount}; {days}"


def _erased(proof: Mapping[str, Any]) -> str:
    if not proof:
        return "it is not in the register any more"
    return f"{_day(proof['removed_on'])} ({_words(proof['cause'])}); proof {proof['deletion']}, {proof['commitment']}"


def _decision(made: Mapping[str, Any]) -> str:
    meanwhile = "; restricted meanwhile" if made["restricted_meanwhile"] and made["decision"] != "erase" else ""
    if made["decision"] is None:
        return f"not decided yet{meanwhile}"
    why = f": {_words(made['reason'])}" if made["reason"] else ""
    return f"{_DECISIONS[made['decision']]}, {_day(made['on'])}{why}"


def _facts(rows: Sequence[tuple[str, str]]) -> Table:
    cells = [[_text(name, _NAME), _text(value, _CELL)] for name, value in rows]
    table = Table(cells, colWidths=[38 * mm, _WIDTH - 38 * mm], hAlign="LEFT")
    table.setStyle(TableStyle([*_PADDING, ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE)]))
    return table


def _table(rows: Sequence[Sequence[str]]) -> Table:
    head, *body = rows
    cells = [[_text(each, _NAME) for each in head], *([_text(each, _CELL) for each in row] for row in body)]
    widths = [0.38 * _WIDTH, 0.19 * _WIDTH, 0.22 * _WIDTH, 0.21 * _WIDTH]
    table = Table(cells, colWidths=widths, hAlign="LEFT", repeatRows=1)
    style = [*_PADDING, ("BACKGROUND", (0, 0), (-1, 0), _SHADE), ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE)]
    table.setStyle(TableStyle(style))
    return table


def _text(text: str, style: ParagraphStyle | None = None, *, raw: bool = False) -> Paragraph:
    return Paragraph(text if raw else _safe(text), style or _BODY)


def _safe(text: str) -> str:
    """Text without markup, and without letters that the font has not: these are spelt in Latin ones."""
    known = _fonts()
    return escape("".join(each if ord(each) in known else anyascii(each) for each in text))


def _words(code: str) -> str:
    return code.replace("_", " ")


def _day(text: str | None) -> str:
    if text is None:
        return "not known"
    day = date.fromisoformat(text)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@cache
def _fonts() -> frozenset[int]:
    """Register the fonts, once, and give the letters that they have."""
    faces = {name: TTFont(name, f"{name}.ttf") for name in (_PLAIN, _BOLD)}
    for each in faces.values():
        pdfmetrics.registerFont(each)
    return frozenset(faces[_PLAIN].face.charToGlyph) & frozenset(faces[_BOLD].face.charToGlyph)


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    usual = {"fontName": _PLAIN, "textColor": _INK, "alignment": TA_LEFT, "splitLongWords": 1}
    return ParagraphStyle(name, fontSize=size, leading=size * 1.4, **usual | more)


_TITLE = _style("title", 18, fontName=_BOLD, spaceAfter=5 * mm)
_HEADING = _style("heading", 12, fontName=_BOLD, spaceBefore=7 * mm, spaceAfter=2 * mm, keepWithNext=1)
_SUBHEADING = _style("subheading", 10, fontName=_BOLD, spaceBefore=5 * mm, spaceAfter=1.5 * mm, keepWithNext=1)
_BODY = _style("body", 9, spaceAfter=2 * mm)
_SMALL = _style("small", 8, textColor=_FAINT, spaceBefore=2 * mm)
_NAME = _style("name", 8, textColor=_FAINT)
_CELL = _style("cell", 8.5, wordWrap="CJK")
_PADDING = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 2 * mm),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2 * mm),
    ("TOPPADDING", (0, 0), (-1, -1), 1.1 * mm),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.1 * mm),
]
