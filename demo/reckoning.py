"""The last act: the hits that two members see over the interface, set against the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
from rich.table import Table

from demo import score
from demo.market import Ring
from demo.stage import Party, Stage

Truth = Mapping[str, Mapping[str, str]]


def reckon(stage: Stage, url: str, parties: tuple[Party, Party], truth: Truth, rings: Sequence[Ring]) -> None:
    """Read all hits of two members and print pairs of customers by band, and rings.

    `truth` gives the true person of each customer's reference, by the party's name.
    """
    left, right = parties
    with httpx.Client(base_url=url) as client:
        own, others = (list(hits(client, party)) for party in parties)
    names = score.references([*own, *others])
    left_truth, right_truth = truth[left.name], truth[right.name]
    found = score.customer_pairs(own, names, frozenset(left_truth) | frozenset(right_truth))
    stage.console.print(_bands(score.by_band(found, left_truth, right_truth)))
    planted = [frozenset(reference for claims in ring.claims.values() for reference in claims) for ring in rings]
    _show_rings(stage, score.rings(own, names, planted), len(planted))


def hits(client: httpx.Client, party: Party) -> Iterator[Mapping[str, Any]]:
    """Log in with the party's credentials and yield its hits, page by page."""
    login = {
        "grant_type": "client_credentials",
        "client_id": party.environment["FRANKPLEDGE_CLIENT_ID"],
        "client_secret": party.environment["FRANKPLEDGE_CLIENT_SECRET"],
    }
    token = client.post("/v1/auth/token", json=login).raise_for_status().json()["access_token"]
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/v1/hits", params=params, headers={"Authorization": f"Bearer {token}"})
        page = answer.raise_for_status().json()
        yield from page["items"]
        cursor = page["next_cursor"]


def _bands(scores: Sequence[score.BandScore]) -> Table:
    table = Table("band", title="Pairs of customers across the two insurers", title_justify="left")
    for heading in ("pairs", "true", "precision", "recall"):
        table.add_column(heading, justify="right")
    for row in scores:
        band = row.band if row.band == "strong" else f"{row.band} or better"
        table.add_row(band, f"{row.pairs:,}", f"{row.true:,}", f"{row.precision:.4f}", f"{row.recall:.4f}")
    return table


def _show_rings(stage: Stage, found: Sequence[score.FoundRing], planted: int) -> None:
    table = Table("claims that share two people or more", "planted", title="Rings", title_justify="left")
    for ring in found:
        which = "no" if ring.planted is None else f"ring {ring.planted + 1}, whole"
        table.add_row(" ".join(sorted(ring.claims)), which)
    stage.console.print(table)
    whole = {ring.planted for ring in found} - {None}
    stage.say(f"{len(whole)} of the {planted} planted rings were found whole.")
