"""The rulebook in public: as JSON, as its file, and as a page."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from repository.api.rulebook import published
from repository.services import Services, rulebook_file
from repository.services.rulebook_diff import flat
from tests.support.clock import FakeClock
from tests.support.members import TestUser
from tests.support.rulebooks import DEFAULT_RULEBOOK, changed_text, load_rules, use_rules

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
TEXT = rulebook_file.default_text()
TOML = {"Accept": "application/toml"}
VOID = {"meta", "br"}


class Page(HTMLParser):
    """A page read strictly: every element is closed in order, ids are unique, and what is linked to is known."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(set(self.ids)) == len(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.tags.append(tag)
        self.ids += [str(value) for name, value in attrs if name == "id"]
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends: the one that began last."""
        assert self.open.pop() == tag
        self.words += " " if tag in ("td", "th") else ""

    def handle_data(self, data: str) -> None:
        """Text, of the page itself."""
        if self.open and self.open[-1] != "style":
            self.words += data


def page(client: FlaskClient, address: str = "/rulebook") -> Page:
    """The page at an address."""
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    return Page(answer.get_data(as_text=True))


def test_anyone_may_read_it(client: FlaskClient) -> None:
    """Version, digest and every entry as it is nested in the file, without a log-in."""
    body = client.get("/v1/rulebook").get_json()
    raw = tomllib.loads(TEXT)
    assert body["rules"] == {name: each for name, each in raw.items() if name not in ("version", "title")}
    assert (body["version"], body["title"]) == (raw["version"], raw["title"])
    assert body["digest"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert body["effective_from"] is None
    assert body["next"] is None


def test_the_file_is_the_very_one(client: FlaskClient, services: Services, clock: FakeClock) -> None:
    """The text comes byte for byte, so that its SHA-256 is the digest; by address, and by the Accept header."""
    text = changed_text(TEXT, {}, "a.1").replace("\n", "\r\n") + "# Grüße\n"
    services.rulebooks.load(text, clock().date(), now=clock())
    for answer in (
        client.get("/v1/rulebook.toml"),
        client.get("/v1/rulebook", headers=TOML),
        client.get("/v1/rulebook/a.1", headers=TOML),
    ):
        assert answer.mimetype == "application/toml"
        assert answer.get_data() == text.encode()
    assert "Accept" in client.get("/v1/rulebook").vary
    assert client.get("/v1/rulebook", headers={"Accept": "text/html"}).mimetype == "application/json"


def test_the_next_one_is_announced(client: FlaskClient, services: Services, clock: FakeClock) -> None:
    """What is loaded for a later day is told now, and is the rulebook from that day on."""
    day = clock().date() + timedelta(days=3)
    coming = load_rules(services, {"ladder": {"plan": 29}}, day)
    body = client.get("/v1/rulebook").get_json()
    assert body["version"] == DEFAULT_RULEBOOK.version
    assert body["next"] == {
        "version": coming.version,
        "title": coming.title,
        "digest": coming.digest,
        "effective_from": day.isoformat(),
    }
    then = client.get(f"/v1/rulebook?at={day}").get_json()
    assert (then["version"], then["effective_from"], then["next"]) == (coming.version, day.isoformat(), None)
    assert client.get(f"/v1/rulebook.toml?at={day}").get_data(as_text=True) == services.rulebooks.on(day).text
    assert client.get(f"/v1/rulebook/{coming.version}").get_json() == then
    clock.advance(days=3)
    assert client.get("/v1/rulebook").get_json() == then


def test_what_there_is_not(client: FlaskClient) -> None:
    """An unknown version is not found; a day that is none is told as such, an unknown parameter too."""
    for address in ("/v1/rulebook/2020.1", "/rulebook/2020.1"):
        assert client.get(address).status_code == 404
    for query in ("at=2026-02-30", "at=tomorrow", "at=", "day=2026-03-02"):
        for address in ("/v1/rulebook", "/v1/rulebook.toml", "/rulebook"):
            answer = client.get(f"{address}?{query}")
            assert answer.status_code == 422
            assert "tomorrow" not in answer.get_data(as_text=True)


def test_it_does_not_say_who_loaded_it(client: FlaskClient, operator: TestUser, services: Services) -> None:
    """The public learns of the rules, not of accounts."""
    now = services.clock()
    services.rulebooks.load(changed_text(TEXT, {}, "a"), now.date(), now=now, actor_id=operator.id)
    edition = services.rulebooks.on(now.date())
    assert edition.loaded_by == operator.id
    assert operator.id not in str(published(edition, None))
    assert operator.id not in client.get("/rulebook").get_data(as_text=True)


def test_the_page_explains_each_rule(client: FlaskClient) -> None:
    """R1 to R10 each have a section, in order, and the contents lead to each."""
    read = page(client)
    sections = [each for each in read.ids if re.fullmatch(r"r\d+", each)]
    assert sections == [f"r{number}" for number in range(1, 11)]
    assert {link.removeprefix("#") for link in read.links if link.startswith("#")} == set(read.ids)
    assert f"version {DEFAULT_RULEBOOK.version}: in force" in " ".join(read.words.split())


def test_the_page_has_every_number(client: FlaskClient, services: Services) -> None:
    """Each number of the rulebook stands on the page: with another number in the file, it is another page."""
    changes: dict[str, dict[str, object]] = {}
    for place, (entry, value) in enumerate(flat(tomllib.loads(TEXT))):
        table, _, name = entry.rpartition(".")
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float) and not table.startswith(("tiers", "handling")) and "tier" not in name:
            small = isinstance(value, float) or name in ("highest", "at_par")
            changes.setdefault(table, {})[name] = value if small else 11 + place
    changes["standing"] |= {"completeness_target": 0.9137, "timeliness_target": 0.8237, "accuracy_target": 0.7337}
    changes["standing"] |= {"duty_target": 0.6437, "tolerance": 1.37, "corroboration_share": 0.1937}
    changes["standing"] |= {"spared": 5.37, "corroboration_expected": 6.37}
    changes["level"] |= {"counts_from": 0.4737, "counts_tolerance": 1.13}
    changes["quota"]["per_accepted"] = 4.37
    changes["subject_access"] |= {"answer_months": 2, "contributor_working_days": 47, "deferral_days": 163}
    changes["subject_access"] |= {"report_days": 121, "keep_days": 359}
    changes["filing"]["clock_skew_days"] = 9
    changes["disputes"] |= {"answer_days": 23, "acknowledge_working_days": 46}
    months = {"customer": 7, "claim": 61, "suspected": 29, "proven": 59, "victim": 8, "protective": 19, "policy": 37}
    kept: dict[str, dict[str, object]] = {
        f"retention.{kind}": {"keep": f"{number} months"} for kind, number in months.items()
    }
    kept["retention.quote"] = {"keep": "83 days", "cap": "9 months"}
    load_rules(services, changes | kept)
    words = page(client).words
    assert all(str(value) in words for entries in kept.values() for value in entries.values())
    shown = [*re.findall(r"[\d,.]*\d", words), "%"]
    for table, entries in changes.items():
        for name, value in entries.items():
            assert isinstance(value, int | float)
            percent = f"{value * 100:.4g}"
            wanted = percent if percent in shown and isinstance(value, float) else f"{value:,}"
            assert wanted in shown, f"{table}.{name}"


def test_the_tiers_on_the_page_are_the_rules(client: FlaskClient, services: Services) -> None:
    """The table shows what contribution gives, with a plus where a contributor may be asked for more."""
    full = dict.fromkeys(("customer", "claim", "suspected", "proven", "victim", "protective"), 4)
    load_rules(services, {"tiers.claims": full | {"claim": 2}, "tiers.customers": {"claim": 2}})
    html = client.get("/rulebook").get_data(as_text=True)
    row = re.search(r"Claims, but no suspected or proven cases</th>(.*)</tr>", html)
    assert row is not None
    assert re.findall(r">(\d\+?)</td>", row[1]) == ["3+", "2", "3+", "3+", "3+", "3+"]


def test_the_page_announces_what_will_change(client: FlaskClient, services: Services, clock: FakeClock) -> None:
    """The next rulebook, from when, and each entry that changes; its own page says that it is not in force yet."""
    closed = [{"line": "health", "class": "claim", "purpose": "new_business"}]
    day = clock().date() + timedelta(days=9)
    coming = load_rules(services, {"ladder": {"plan": 29}, "purposes": {"closed": closed}}, day)
    words = " ".join(page(client).words.split())
    assert f"From {day} on: version {coming.version}" in words
    assert "<td><code>ladder.plan</code></td><td>30</td><td>29</td>" in client.get("/rulebook").get_data(as_text=True)
    assert "purposes.closed" in words
    theirs = " ".join(page(client, f"/rulebook/{coming.version}").words.split())
    assert "not yet in force" in theirs
    assert "No purpose is closed" not in theirs
    assert "not yet in force" in " ".join(page(client, f"/rulebook?at={day}").words.split())
    clock.advance(days=9)
    assert "no longer in force" in " ".join(page(client, f"/rulebook/{DEFAULT_RULEBOOK.version}").words.split())


def test_the_page_needs_nothing_else(client: FlaskClient) -> None:
    """No script and no file beside it; its policy allows the one style that is in it, by its hash."""
    answer = client.get("/rulebook")
    html = answer.get_data(as_text=True)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}';" in answer.headers["Content-Security-Policy"]
    read = Page(html)
    assert not {"script", "img", "link", "iframe", "form"} & set(read.tags)
    assert " style=" not in html
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html


def test_what_the_operator_wrote_is_text(client: FlaskClient, services: Services) -> None:
    """Mark-up in a title or a label is shown, not followed."""
    bands = [{"days": 10, "label": "<b>new</b>"}]
    load_rules(services, {"": {"title": "<script>alert(1)</script> & Co"}, "disclosure": {"age_bands": bands}})
    html = client.get("/rulebook").get_data(as_text=True)
    assert "<script" not in html
    assert "<b>new" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in html


def test_the_worked_example_adds_up(client: FlaskClient, services: Services) -> None:
    """What the page works out with a pencil is what the rule says."""
    use_rules(services, "standing", tolerance=0.0, spared=0.0)
    words = " ".join(page(client).words.split())
    assert "declared 400 customers a month owes 1182.8 in 90 days. It filed 1,064" in words
    assert f"= {1064 / (0.95 * 400 * 12 / 365.25 * 90):.3f}: below target" in words
    use_rules(services, "standing", tolerance=2.0)
    words = " ".join(page(client).words.split()).replace("\u00d7", "x")
    assert "allows it 2 x √1182.8 = 68.8. Its completeness is (1,064 + 68.8) / (0.95 x 1182.8)" in words
    assert "which counts as 1: on target" in words


def test_a_day_before_any_is_the_first_rulebook(client: FlaskClient) -> None:
    """The first rulebook holds for all that was before."""
    for day in (date(1, 1, 1), date(9999, 12, 31)):
        assert client.get(f"/v1/rulebook?at={day}").get_json()["version"] == DEFAULT_RULEBOOK.version
