"""Answers, hits and batches as tables for people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from frankpledge.corrections import Correction, Dispute
from frankpledge.results import Batch, Deletion, Expiring, Hit, Proof, Screening

_DAYS = frozenset({"raised", "answer by", "on", "told", "delivered", "acknowledge by", "expires", "removed"})
BAND_STYLES = {"strong": "bold red", "probable": "yellow", "possible": "cyan"}


def console() -> Console:
    """Make the console for standard output; a file or pipe gets plain text, 160 columns wide unless COLUMNS says."""
    found = Console()
    return found if found.is_terminal or os.environ.get("COLUMNS") else Console(width=160)


def screening(answer: Screening, about: str) -> Iterable[Table | Text]:
    """Render one answer: the word, the hits, and why each matched as far as that may be seen."""
    style = "bold green" if answer.clear else "bold yellow"
    yield Text.assemble((answer.answer, style), f"  {about}  {answer.id}")
    if answer.hits:
        yield hits(answer.hits)
        yield from explanations(answer.hits)
    if answer.capped_keys:
        yield Text(capped(answer.capped_keys))
    if stands := answer.document.get("stands"):
        yield Text(f"It stands as a {stands['as']} until {stands['until']}: {stands['watch']}")


def capped(keys: int) -> str:
    """Say that something was not looked for: what is crowded tells nothing, but what it hides is not excluded."""
    number = "1 key is" if keys == 1 else f"{keys:,} keys are"
    rest = "it" if keys == 1 else "them"
    return (
        f"{number} shared by too many records (a switchboard's telephone, a large building) and not looked up:"
        f" a record that only shares {rest} was not found."
    )


def hits(found: Iterable[Hit]) -> Table:
    """Render hits, one a row; what the own tier does not show is left out."""
    table = Table()
    for name in ("hit", "band"):
        table.add_column(name, no_wrap=True)
    for name in ("found", "at", "own reference"):
        table.add_column(name)
    table.add_column("bits", justify="right")
    for hit in found:
        bits = "" if hit.weight is None else f"{hit.weight:+.1f}"
        own = hit.own.get("reference", "")
        cells = map(Text, (_found(hit), _at(hit), str(own), bits))
        table.add_row(Text(hit.id), Text(hit.band, BAND_STYLES.get(hit.band, "")), *cells)
    return table


def _found(hit: Hit) -> str:
    """Say what was found: nothing but that there is something at tier 1, class, count and age from tier 2."""
    if hit.record_class is None:
        return f"a record (tier {hit.tier} shows no more)"
    about = [hit.record_class, _counted(hit.document.get("count"))]
    parts = [" ".join(filter(None, about)), hit.document.get("age_band"), *hit.labels.values()]
    if hit.protected:
        parts.append("to be protected")
    return ", ".join(str(part) for part in parts if part)


def _counted(count: object) -> str:
    """Say how many there are: a number, or only that it is small."""
    if isinstance(count, Mapping):
        return f"(fewer than {count.get('fewer_than')})"
    return f"({count} in all)" if count else ""


def _at(hit: Hit) -> str:
    """Say where it was found, from tier 3: the contributor and the record's facts."""
    facts = [str(hit.theirs[name]) for name in ("line", "date", "role") if name in hit.theirs]
    if hit.contributor:
        return f"{hit.contributor}: {', '.join(facts)}"
    held = hit.document.get("seen_by") or {}
    some = f"fewer than {held['fewer_than']}" if "fewer_than" in held else held.get("members")
    return f"(not at this tier; held by {some} other members)" if some else "(not at this tier)"


def explanations(found: Iterable[Hit]) -> Iterable[Table]:
    """Render why hits matched: what was compared, the level reached and its weight in bits, with the total.

    Hits that matched for the same reasons share a table: records of one person often say the same.
    """
    alike: dict[tuple[tuple[str, str, float], ...], list[str]] = {}
    for hit in found:
        alike.setdefault(hit.explanation, []).append(hit.id)
    alike.pop((), None)
    for rows, ids in alike.items():
        title = f"Why {', '.join(ids)}"
        table = Table("compared", "level", title=title, title_justify="left", show_footer=True)
        table.columns[0].footer = "total"
        table.add_column("bits", justify="right", footer=f"{sum(weight for _, _, weight in rows):+.1f}")
        for field, level, weight in rows:
            table.add_row(Text(field), Text(level), f"{weight:+.1f}")
        yield table


def proofs(found: Iterable[Proof]) -> Table:
    """Render proofs, one a row."""
    table = Table("proof", "reference", "case type", "product", "notified", "state", "filings")
    table.columns[0].no_wrap = True
    for proof in found:
        stated = proof.document
        product = stated.get("product_action") or f"exception: {stated.get('exception')}"
        notified = stated.get("notified_on") or "deferred"
        cells = (proof.id, proof.reference, proof.case_type, str(product), str(notified), proof.state)
        table.add_row(*map(Text, cells), f"{proof.filings:,}")
    return table


def _folding(*names: str) -> Table:
    """A table that cuts nothing off: what is too long goes on in the next line, and days stay whole."""
    table = Table()
    for name in names:
        table.add_column(name, overflow="fold", min_width=len("2026-01-31") if name in _DAYS else None)
    return table


def deletions(found: Iterable[Deletion]) -> Table:
    """Render deletion proofs, one a row."""
    table = _folding("filing", "class", "line", "cause", "removed", "proof", "commitment")
    for each in found:
        facts = (each.document["class"], each.document["line"], each.cause, each.removed_on, each.id)
        table.add_row(*map(Text, (each.filing, *map(str, facts), f"{each.commitment[:16]}...")))
    return table


def corrections(found: Iterable[Correction]) -> Table:
    """Render corrections, one a row: of records that were shown, or of own ones."""
    table = _folding("correction", "what", "on", "class", "filing", "acknowledge by", "acknowledged", "own hits")
    for each in found:
        known = each.document
        said = known.get("acknowledged_at") or ""
        if each.made:
            of = known.get("members")
            counted = f" ({known.get('acknowledged', 0)} of {of})" if isinstance(of, int) else ""
            said = f"{known.get('state', '')}{counted}"
        hits = " ".join(known.get("hits") or ())
        facts = (each.kind, each.at[:10], known.get("class"), known.get("filing"), known.get("acknowledge_by"))
        table.add_row(
            *map(Text, (each.id, *(str(fact or "") for fact in facts), said[:16] if not each.made else said, hits))
        )
    return table


def receipts(found: Iterable[Mapping[str, Any]]) -> Table:
    """Render the receipts of a correction, one a row; members are numbered."""
    table = _folding("member", "told", "delivered", "acknowledge by", "acknowledged", "by a")
    for each in found:
        names = ("told_on", "delivered_on", "acknowledge_by", "acknowledged_on")
        days = (str(each.get(name) or "") for name in names)
        table.add_row(*map(Text, (str(each.get("member", "")), *days, str(each.get("role") or ""))))
    return table


def disputes(found: Iterable[Dispute]) -> Table:
    """Render disputes, one a row."""
    table = _folding("dispute", "status", "ground", "raised", "answer by", "reference", "about")
    for each in found:
        names = ("raised_on", "answer_by", "statement_reference" if each.raised else "reference")
        facts = (str(each.document.get(name) or "") for name in names)
        about = each.document.get("hit") or each.document.get("request") or each.document.get("filing") or ""
        table.add_row(*map(Text, (each.id, each.status, each.ground, *facts, str(about))))
    return table


def expiring(found: Iterable[Expiring]) -> Table:
    """Render filings that expire, one a row."""
    table = _folding("filing", "reference", "class", "expires", "held until")
    for each in found:
        cells = (each.filing, each.reference, each.record_class, each.expires_on, each.held_until or "")
        table.add_row(*map(Text, cells))
    return table


def batches(found: Iterable[Batch]) -> Table:
    """Render batches with what became of their rows."""
    table = Table("batch", "created", "status", "read", "new", "changed", "unchanged", "refused", "hits")
    for batch in found:
        counts = [
            f"{batch.rows.get(name, 0):,}" for name in ("read", "created", "new_version", "unchanged", "rejected")
        ]
        status = f"{batch.status} (dry run)" if batch.dry_run else batch.status
        table.add_row(batch.id, batch.created_at[:16], status, *counts, f"{batch.hits:,}")
    return table


def standing(document: Mapping[str, Any]) -> Iterable[Table | Text]:
    """Render the own standing: the membership, then for each line what is given and what may be seen for it."""
    membership = document.get("membership") or {}
    yield Text(f"member   {(document.get('member') or {}).get('name', '')}, {membership.get('status', 'unknown')}")
    if not membership.get("allowed", True):
        yield Text(f"         {membership.get('detail', '')} {membership.get('remedy', '')}")
    lines = document.get("lines") or []
    quota = document.get("quota") or {}
    if quota:
        yield Text(f"quota    {quota.get('used', 0):,} of {quota.get('per_day', 0):,} questions used today")
    table = Table("line", "may screen", "score", "step", "given in the window", "sees (tier)")
    for line in lines:
        given = (f"{each['class']} {each['accepted_in_window']:,}" for each in line.get("contributions", ()))
        tiers = (f"{name} {tier}" for name, tier in (line.get("tiers") or {}).items())
        may = "yes" if line.get("may_screen") else "no"
        score = f"{line.get('score', 1):.2f}"
        step = _step(line)
        table.add_row(line.get("line"), may, score, step, ", ".join(given) or "nothing", ", ".join(tiers))
    if lines:
        yield table
    yield from _workings(lines)
    for line in lines:
        if not line.get("may_screen"):
            yield Text(f"{line.get('line')} ({line.get('rule')}): {line.get('detail', '')} {line.get('remedy', '')}")


def _step(line: Mapping[str, Any]) -> str:
    """Say where a line is on the ladder, and what would come next."""
    if line.get("next_step") and line.get("next_on"):
        return f"{line.get('step')}; {line['next_step']} on {line['next_on']}"
    return str(line.get("step", ""))


def _workings(lines: Iterable[Mapping[str, Any]]) -> Iterable[Table | Text]:
    """Render the arithmetic of the lines below target, and the smallest thing that would help."""
    for line in lines:
        if line.get("score", 1) >= 1:
            continue
        table = Table("class", "measure", "met", "allowance", "of", "target", "value", title=f"Why {line.get('line')}")
        for each in line.get("classes", ()):
            for measure in each.get("measures", ()):
                figures = (f"{measure[name]:.2f}" for name in ("met", "allowance", "total", "target", "value"))
                table.add_row(each.get("class"), measure["name"], *figures)
        yield table
        yield Text(f"{line.get('line')}: {line.get('improve', '')}")
