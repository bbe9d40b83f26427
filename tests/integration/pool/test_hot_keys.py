"""Hot keys: seen by operators and auditors, counted, and told to who files and asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import func, select

from matching.vocabulary import LINES
from repository.cli import main
from repository.services.hot_keys import Met
from repository.storage.index import HOT_KEYS, KEY_INDEX
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_screenings import log_in
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions, TestUser
from tests.support.rulebooks import use_rules

LINE = LINES[0]


@pytest.fixture
def crowd(beta: Desk, member: Admissions, clock: FakeClock) -> Desk:
    """A pool in which a key of ann's, of bob's and of cid's is hot, ann's the most; and who sees all classes."""
    others = [beta, *(Desk(beta.client, beta.services, member(name)) for name in ("Gamma", "Delta", "Zeta"))]
    for name, filed_by in (("ann", others), ("bob", others[:3]), ("cid", others[:3])):
        for desk in filed_by:
            desk.file(filing(f"X-{name}", subject(name, only=[3])))
    asking = Desk(beta.client, beta.services, member("Epsilon", lines=LINES))
    for line in LINES:
        asking.file(filing(f"A-{line}", subject("zoe"), record_class="claim", line=line))
    use_rules(beta.services, "matching", hot_key_rows=2)
    for name in ("ann", "bob", "cid"):
        clock.advance(minutes=1)
        asking.screen(question(name, line=LINE))
    return asking


def _list(client: FlaskClient, who: TestUser, query: str = "") -> Any:
    answer = client.get(f"/v1/admin/hot-keys{query}", headers=who.headers)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_the_most_crowded_come_first(crowd: Desk, client: FlaskClient, operator: TestUser) -> None:
    """Rows, when it was found, when it is looked at again by the rulebook, and how many screenings met it since."""
    crowd.screen(question("bob", line=LINE))
    items = _list(client, operator)["items"]
    assert [each["rows"] for each in items] == [4, 3, 3]
    assert sorted(each["screenings"] for each in items) == [1, 1, 2]
    assert items[0]["screenings"] == 1
    assert items[0]["found_at"] == "2026-03-02T09:01:00+00:00"
    assert items[0]["look_again_at"] == "2026-03-03T09:01:00+00:00"


def test_a_page_goes_on_where_the_one_before_ended(crowd: Desk, client: FlaskClient, operator: TestUser) -> None:
    """Of equal rows too; a cursor of another list or pool is refused."""
    whole = _list(client, operator)["items"]
    paged, cursor = [], ""
    for _ in whole:
        page = _list(client, operator, f"?limit=1{cursor}")
        paged += page["items"]
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == whole
    assert page["next_cursor"] is None
    other = client.get("/v1/admin/hot-keys?cursor=WyJ4Il0", headers=operator.headers)
    assert (other.status_code, other.get_json()["type"].rpartition("/")[2]) == (422, "invalid-cursor")


def test_the_key_itself_is_not_told(crowd: Desk, client: FlaskClient, member: Admissions) -> None:
    """The id is the same in every answer, and neither the members' key, nor the one in the index, nor a part of it."""
    auditor = member.operator("audra", roles=("auditor",))
    items = _list(client, auditor)["items"]
    assert items == _list(client, auditor)["items"]
    text = json.dumps(items)
    with crowd.services.database.reading() as connection:
        stored = list(connection.scalars(select(HOT_KEYS.c.key)))
    assert len({each["id"] for each in items}) == len(stored) == 3
    for key in stored:
        raw = key.to_bytes(8, "big", signed=True)
        assert str(key) not in text
        assert raw.hex() not in text
    for name in ("ann", "bob", "cid"):
        assert subject(name, only=[3]).keys.hex()[:12] not in text


def test_asking_twice_at_once_is_one_screening_of_a_subject(
    crowd: Desk, client: FlaskClient, operator: TestUser
) -> None:
    """Of a list each different subject counts under the keys it has, in one statement."""
    body = {name: question("ann", line=LINE)[name] for name in ("schema", "fingerprint", "purpose", "line")}
    body["screenings"] = [{"reference": f"Q-{n}", "subject": question("ann")["subject"]} for n in range(2)]
    answer = crowd.client.post("/v1/screenings/bulk", json=body, headers=crowd.member.headers)
    assert [each["capped_keys"] for each in answer.get_json()["results"]] == [1, 1]
    assert _list(client, operator)["items"][0]["screenings"] == 2


def test_found_again_it_is_counted_anew(crowd: Desk, client: FlaskClient, clock: FakeClock, member: Admissions) -> None:
    """After its time the next screening reads it: what is hot still begins at that one."""
    for _ in range(3):
        crowd.screen(question("ann", line=LINE))
    assert _list(client, member.operator())["items"][0]["screenings"] == 4
    clock.advance(hours=25)
    log_in(crowd)
    crowd.screen(question("ann", line=LINE))
    (again,) = [each for each in _list(client, member.operator("oscar"))["items"] if each["rows"] == 4]
    assert (again["screenings"], again["found_at"]) == (1, "2026-03-03T10:03:00+00:00")


def test_a_filing_says_what_it_was_not_looked_for_under(crowd: Desk, beta: Desk) -> None:
    """As a screening does: to who sees the class of every record of every line, and as null to anyone else."""
    assert crowd.file(filing("N-1", subject("ann"), line=LINE))["capped_keys"] == 1
    assert crowd.file(filing("N-2", subject("eve"), line=LINE))["capped_keys"] == 0
    assert beta.file(filing("N-1", subject("ann")))["capped_keys"] is None


def test_a_batch_says_it_too(crowd: Desk, beta: Desk) -> None:
    """The sum over its rows; of a dry run, which is not looked for, nothing."""
    rows = [filing(f"N-{name}", subject(name), line=LINE) for name in ("ann", "bob", "eve")]
    assert crowd.batch(rows)["capped_keys"] == 2
    assert crowd.get("/v1/batches")["items"][0]["capped_keys"] == 2
    assert crowd.batch(rows, "key-2", query="?dry_run=true")["capped_keys"] == 0
    assert beta.batch([filing("N-1", subject("ann"))])["capped_keys"] == 0


def test_filings_are_no_screenings(crowd: Desk, client: FlaskClient, operator: TestUser, rows: Counted) -> None:
    """They meet hot keys, and are not counted under them."""
    before = _list(client, operator)["items"]
    crowd.file(filing("N-1", subject("ann"), line=LINE))
    assert _list(client, operator)["items"] == before
    assert rows("hot_keys") == 3


def test_the_command_lists_them(crowd: Desk, client: FlaskClient, operator: TestUser) -> None:
    """The same as the interface, as a table and as JSON, once what the service has counted is stored."""
    items = _list(client, operator)["items"]
    settings = crowd.services.settings
    base = ["--data-dir", str(settings.data_dir), "hot-keys"]
    env = {"FRANKPLEDGE_DATABASE_URL": settings.database_url}
    shown = CliRunner(env=env).invoke(main, [*base, "--json"])
    assert json.loads(shown.stdout) == items, shown.output
    table = CliRunner(env=env).invoke(main, [*base, "--limit", "1"])
    assert items[0]["id"] in table.stdout
    assert items[1]["id"] not in table.stdout
    assert "hot_key_rows" in table.stdout


def test_no_screening_waits_for_another_at_a_hot_key(crowd: Desk) -> None:
    """Counts are kept in the process, and added to what is stored every few seconds or when it ends."""

    def stored() -> list[int]:
        with crowd.services.database.reading() as connection:
            return sorted(connection.scalars(select(HOT_KEYS.c.screenings)))

    assert stored() == [0, 0, 0]
    crowd.services.met.add_up()
    crowd.services.met.add_up()
    assert stored() == [1, 1, 1]
    now = [0.0]
    met = Met(crowd.services.database, lambda: now[0])
    with crowd.services.database.reading() as connection:
        key = connection.scalars(select(HOT_KEYS.c.key)).first()
    assert key is not None
    for moment, expected in ((4.0, [1, 1, 1]), (6.0, [1, 1, 3]), (7.0, [1, 1, 3])):
        now[0] = moment
        met.count({key: 1})
        assert stored() == expected


def test_one_batch_writes_no_more_rows_of_a_key_than_count(alpha: Desk) -> None:
    """Thirty records under one key in one chunk leave the member its share of it; thirty more and one add nothing."""
    use_rules(alpha.services, "matching", hot_key_rows=4)
    with alpha.services.database.reading() as connection:
        many = select(func.count()).select_from(KEY_INDEX).group_by(KEY_INDEX.c.key)
        for each in ("P", "Q"):
            rows = [filing(f"{each}-{number}", subject("ann", only=[3])) for number in range(30)]
            assert alpha.batch(rows, f"key-{each}")["rows"]["created"] == 30
            assert connection.scalars(many).all() == [2]
            connection.rollback()
        alpha.file(filing("R-1", subject("ann", only=[3])))
        assert connection.scalars(many).all() == [2]
