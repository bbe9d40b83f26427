"""Asking about many records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from frankpledge.client import Pool
from frankpledge.mapping import plan
from frankpledge.readers import Row
from frankpledge.records import RecordEncoder
from frankpledge.rejects import Reject
from frankpledge.screening import Answered, screen_rows
from matching.types import EncodedSubject, Kind
from tests.unit.frankpledge.fakes import FakePool

COLUMNS = plan(["ref", "family_name", "vin"], {})


def ask(pool: Pool, encoder: RecordEncoder, *rows: Row | Reject) -> list[Answered | Reject]:
    """Ask about rows."""
    asking = encoder.asking(purpose="new_business", line="motor")
    return list(screen_rows(pool, encoder, asking, rows, columns=COLUMNS, role="policyholder"))


def test_each_subject_of_each_row_is_answered(pool: Pool, encoder: RecordEncoder) -> None:
    """A row with a vehicle asks twice; bad rows are named and do not stop the others."""
    results = ask(
        pool,
        encoder,
        Row(1, {"ref": "Q-1", "family_name": "Doe", "vin": "1HGCM82633A004352"}),
        Reject(2, "(row)", "has fewer cells than the heading"),
        Row(3, {"ref": "", "family_name": "Roe"}),
        Row(4, {"ref": "Q-4"}),
        Row(5, {"ref": "bad", "family_name": "Poe"}),
    )
    answered = [(result.row, result.kind) for result in results if isinstance(result, Answered)]
    assert answered == [(1, "person"), (1, "vehicle")]
    refused = {result.row: result.field for result in results if isinstance(result, Reject)}
    assert refused == {2: "(row)", 3: "ref", 4: "(row)", 5: "(pool)"}


def test_requests_stay_under_the_pools_limit(pool: Pool, fake: FakePool) -> None:
    """Large questions are spread over several requests, none above 1 MiB, all answered."""

    class Large:
        """Makes large subjects."""

        def subjects(self, items: Sequence[tuple[Kind, str, Mapping[str, str]]]) -> list[EncodedSubject | None]:
            """Encode items."""
            return [EncodedSubject(kind, role, 1, bytes(100_000)) for kind, role, _ in items]

    large = RecordEncoder(Large(), schema_id="guarded/1", fingerprint="0" * 16)
    rows = [Row(n, {"ref": f"Q-{n}", "family_name": "Doe"}) for n in range(1, 21)]
    results = ask(pool, large, *rows)
    assert [result.row for result in results] == list(range(1, 21))
    requests = fake.sent("/v1/screenings/bulk")
    assert all(len(request.content) <= 1 << 20 for request in requests)
    assert sum(len(orjson.loads(request.content)["screenings"]) for request in requests) == 20
