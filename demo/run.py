"""Three insurers share a fraud register: the whole story, told with the project's own commands (`make demo`).

Everything happens in demo/run/ (or FRANKPLEDGE_DEMO_HOME), on SQLite, on this machine. FRANKPLEDGE_DEMO_ROWS cuts the
books short.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from demo import casework, market
from demo.people import Raw
from demo.reckoning import reckon
from demo.stage import WIDTH, CommandError, Party, Stage, call, free_port, password, service

HERE = Path(__file__).parent
HOME = Path(os.environ.get("FRANKPLEDGE_DEMO_HOME", HERE / "run")).resolve()
PORT = 8080
ENQUIRE, REFUSED = 3, 2  # exit codes of `frankpledge screen`; 2 also of other commands that did nothing
QUESTION = "Q-1001"
PEOPLE = ("investigator", "colleague")
BOOKS = {"aldwick": "febrl4_a.csv", "brambledown": "febrl4_b.csv"}
NAMES = {"aldwick": "Aldwick Mutual", "brambledown": "Brambledown Insurance", "corvane": "Corvane Direct"}
LINES = ("--line", "motor", "--line", "home")
ROLES = ("--role", "contributor", "--role", "screener", "--role", "investigator")
HEADINGS = {
    "ref": "Policy number", "given_name": "Forename", "family_name": "Surname", "date_of_birth": "Born",
    "house_number": "House no", "street": "Street", "town": "Town", "postcode": "Post code", "country": "Country",
    "phone": "Mobile", "email": "E-mail", "sex": "Gender",
}  # fmt: skip


@dataclass
class Play:
    """What the acts hand on: the parties, their log-ins, the truth, and the figures of time."""

    stage: Stage
    operator: Party
    members: dict[str, Party]
    truth: dict[str, dict[str, str]]
    market: market.Market
    today: dt.date
    logins: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Play the demo; exit status 1 where a command did not do what the story needs."""
    started = time.monotonic()
    console = Console(width=WIDTH if not sys.stdout.isatty() else None)
    try:
        play = set_up(Stage(console), int(os.environ.get("FRANKPLEDGE_DEMO_ROWS", "0")) or None)
        found_pool(play)
        with service(play.operator, free_port()) as url:
            for member in play.members.values():
                member.environment["FRANKPLEDGE_SERVER"] = url
            contribute(play)
            newcomer(play)
            first, second = (_person(play, "corvane", who) for who in PEOPLE)
            casework.decide(play.stage, (first, second), QUESTION)
            casework.ring(play.stage, _person(play, "aldwick", PEOPLE[0]))
            play.stage.headline("8. What the pool found, against the truth")
            play.stage.say("The benchmark says who is who, which no encoder saw. Of the pairs found, so many are true:")
            left, right = (play.members[slug] for slug in BOOKS)
            reckon(play.stage, url, (left, right), play.truth, play.market.rings)
    except CommandError as error:
        console.print(f"[bold red]The demo stopped.[/] {error}", highlight=False)
        sys.exit(1)
    play.seconds["the whole demo"] = time.monotonic() - started
    farewell(play)


def set_up(stage: Stage, rows: int | None) -> Play:
    """Lay out an empty stage: each member's extracts in its own folder, the truth kept apart."""
    shutil.rmtree(HOME, ignore_errors=True)
    operator = Party("operator", HOME / "pool", {"FRANKPLEDGE_DATA_DIR": "."})
    members = {slug: _member(slug) for slug in NAMES}
    operator.home.mkdir(mode=0o700, parents=True)
    books = {slug: market.read_rows(HERE / "data" / name)[:rows] for slug, name in BOOKS.items()}
    if rows:
        books["brambledown"] = _same_people(books["aldwick"], "brambledown")
    today = dt.datetime.now(dt.UTC).date()
    invented = market.invent(books, today, newcomer="corvane")
    for slug, book in books.items():
        _write_csv(members[slug].home / "customers.csv", book, {name: name for name in book[0] if name != "cluster"})
        market.write_lines(members[slug].home / "claims.ndjson", invented.claims[slug])
    _write_csv(members["corvane"].home / "customers.csv", invented.newcomer.book, HEADINGS)
    market.write_lines(members["corvane"].home / "claims.ndjson", invented.newcomer.claims)
    truth = {slug: {row["ref"]: row["cluster"] for row in book} for slug, book in books.items()}
    return Play(stage, operator, members, truth, invented, today)


def found_pool(play: Play) -> None:
    """Make the members' linkage key, then a pool that accepts it, with three members and their log-ins."""
    stage, (first, *others) = play.stage, play.members.values()
    stage.headline("1. Three insurers agree on a key, and an operator opens a pool")
    stage.say("The linkage key is the members' own: one makes it, the others import a sealed copy. The pool has none.")
    stage.run(first, "frankpledge", "keys", "init")
    sealed = {"FRANKPLEDGE_PASSPHRASE": password()}
    stage.run(first, "frankpledge", "keys", "export", "for-members.key", hidden=sealed)
    for other in others:
        stage.run(other, "frankpledge", "keys", "import", "../aldwick/for-members.key", hidden=sealed)
        other.environment.update(sealed)  # an imported key stays sealed
    (first.home / "for-members.key").unlink()
    fingerprint = call(first, "frankpledge", "keys", "show").text.split()[1]

    secret = password()
    play.logins.append(("operator", "operator", secret))
    hidden = {"FRANKPLEDGE_OPERATOR_PASSWORD": secret}
    stage.run(play.operator, "frankpledge-admin", "init", "--fingerprint", fingerprint, hidden=hidden)
    stage.say("\nEach says what it is going to file in a month: it is judged by that, and by nobody else's size.")
    for slug in play.members:
        lines = LINES if slug != "corvane" else LINES[:2]
        stage.run(play.operator, "frankpledge-admin", "member", "add", NAMES[slug], *lines, *_declared(play, slug))
    with ThreadPoolExecutor(max_workers=2) as unseen:
        for logins in unseen.map(lambda slug: _log_in(play, slug), play.members):
            play.logins += logins
    stage.say("\nEach member got a client id and secret for its programs, and accounts for two investigators.")


def contribute(play: Play) -> None:
    """Two insurers encode and submit their customers and claims."""
    stage = play.stage
    stage.headline("2. Two insurers encode their books on their own machines, and submit them")
    count = sum(len(book) for book in play.truth.values())
    stage.say(f"{count:,} customers of the FEBRL 4 benchmark, half at each: the same people, written down differently.")
    stage.say("A quarter of them have claims, with passengers, witnesses, vehicles, garages and solicitors.")
    stage.say("What leaves a machine is keyed hashes: `head -1 customers.encoded.ndjson` shows one record of them.")
    hits = ("\nNobody else has filed yet, so what the first one files hits nothing:", "\nThe second one's meets it:")
    for slug, told in zip(BOOKS, hits, strict=True):
        stage.say(told)
        _file(play, slug, "customers.csv", "--class", "customer", "--line", "motor", "--date", play.today.isoformat())
        _file(play, slug, "claims.ndjson")


def newcomer(play: Play) -> None:
    """The third asks before it contributes, is refused, contributes, and is answered, as far as it gave."""
    stage, member = play.stage, play.members["corvane"]
    stage.headline("3. The third insurer asks before it has contributed")
    stage.say(
        "Someone wants a quote, under a misspelt name and with a new phone: one of a ring that claims at the others."
    )
    (member.home / "quote.json").write_text(json.dumps(play.market.newcomer.quote), encoding="utf-8")
    record = ("--record", "quote.json", "--reference", QUESTION)
    question = ("frankpledge", "screen", *record, "--purpose", "new_business", "--line", "motor")
    stage.run(member, *question, status=(REFUSED,))
    stage.say("\nThe refusal names its rule, the figures it was taken from, and what would change it.")

    stage.headline("4. It contributes its customers, and asks again")
    stage.say("Its extract has headings of its own. They are proposed, never guessed; it puts them into its profile.")
    stage.run(member, "frankpledge", "encode", "customers.csv", "--out", "customers.encoded.ndjson", status=(REFUSED,))
    _write_profile(member)
    _file(play, "corvane", "customers.csv", "--class", "customer", "--line", "motor", "--date", play.today.isoformat())
    stage.run(member, *question, status=(ENQUIRE,))
    stage.say("\n`enquire` is no verdict: someone should look. It gave customers, so of others' claims it learns that")
    stage.say("there are some (tier 2), and neither whose they are nor why they match.")

    stage.headline("5. It contributes its claims too, and asks again")
    _file(play, "corvane", "claims.ndjson")
    stage.run(member, *question, status=(ENQUIRE,))
    stage.say(
        "\nNow it sees whose claims they are (tier 3), and why: what speaks for one person, or against, in bits of"
    )
    stage.say(
        "evidence. A bit doubles the odds, and the rows add up to the total; `prior` is the odds before any of it."
    )
    stage.run(member, "frankpledge", "status", "--batches", "2")


def farewell(play: Play) -> None:
    """Print the figures of time and how to go on, and keep the log-ins in a file that only the user can read."""
    stage = play.stage
    stage.headline("Figures of time")
    for what, seconds in play.seconds.items():
        stage.say(f"{seconds:7.1f} s  {what}")
    stage.headline("How to go on")
    address = f"http://127.0.0.1:{PORT}"
    stage.say(f"[bold]make serve[/] serves this pool on {address}; {address}/v1/docs shows every request and answer.")
    path = HOME / "logins.txt"
    path.touch(mode=0o600)
    path.write_text("".join(f"{who:36}{name:32}{secret}\n" for who, name, secret in play.logins), encoding="utf-8")
    stage.say(f"Log-ins (also in {path}):")
    stage.console.print(path.read_text(encoding="utf-8").rstrip(), markup=False, highlight=False, soft_wrap=True)


def _file(play: Play, slug: str, extract: str, *options: str) -> None:
    member, out = play.members[slug], extract.split(".", maxsplit=1)[0] + ".encoded.ndjson"
    rejects = (0, 1)  # a few rows of an extract may be beyond use: the summary says so
    encoded = play.stage.run(member, "frankpledge", "encode", extract, "--out", out, *options, status=rejects)
    filed = play.stage.run(member, "frankpledge", "submit", out, "--follow")
    what = extract.split(".", maxsplit=1)[0]
    play.seconds[f"{NAMES[slug]} encodes its {what}"] = encoded.seconds
    play.seconds[f"{NAMES[slug]} submits its {what}, and the pool cross-references them"] = filed.seconds


def _same_people(book: Sequence[Raw], other: str) -> list[Raw]:
    """Return the rows of the other book about the people of this one: the files are in different orders."""
    kept = {row["cluster"] for row in book}
    return [row for row in market.read_rows(HERE / "data" / BOOKS[other]) if row["cluster"] in kept]


def _member(slug: str) -> Party:
    home = HOME / slug
    home.mkdir(parents=True)
    config = home / "config.toml"
    config.write_text('[profiles.default]\nkey_file = "linkage.key"\n', encoding="utf-8")
    return Party(slug, home, {"FRANKPLEDGE_CONFIG": "config.toml"})


def _write_profile(member: Party) -> None:
    columns = "".join(f'"{heading}" = "{name}"\n' for name, heading in HEADINGS.items())
    with (member.home / "config.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[profiles.default.map]\n{columns}")


def _declared(play: Play, slug: str) -> list[str]:
    """Return the volumes that an insurer declares (R4), as options."""
    newcomer = play.market.newcomer
    volumes = (
        market.monthly(len(newcomer.book), newcomer.claims)
        if slug == "corvane"
        else market.monthly(len(play.truth[slug]), play.market.claims[slug])
    )
    return [word for pair, count in sorted(volumes.items()) for word in ("--declare", f"{pair}={count}")]


def _log_in(play: Play, slug: str) -> list[tuple[str, str, str]]:
    """Give a member's programs and its investigator a way in, and return who has which."""
    member = play.members[slug]
    issued = json.loads(
        call(play.operator, "frankpledge-admin", "credential", "issue", NAMES[slug], *ROLES, "--json").text
    )
    member.environment["FRANKPLEDGE_CLIENT_ID"] = issued["client_id"]
    member.environment["FRANKPLEDGE_CLIENT_SECRET"] = issued["client_secret"]
    logins = [(f"{NAMES[slug]}, program", issued["client_id"], issued["client_secret"])]
    for who in PEOPLE:
        secret, user = password(), f"{slug}-{who}"
        call(
            play.operator, "frankpledge-admin", "user", "add", user, "--member", NAMES[slug], "--role", "investigator",
            hidden={"FRANKPLEDGE_USER_PASSWORD": secret},
        )  # fmt: skip
        logins.append((f"{NAMES[slug]}, {who}", user, secret))
    return logins


def _person(play: Play, slug: str, who: str) -> Party:
    """One of a member's people, logged in by name."""
    user, secret = next((user, secret) for _, user, secret in play.logins if user == f"{slug}-{who}")
    return casework.in_person(play.members[slug], user, secret)


def _write_csv(path: Path, rows: Sequence[Raw], headings: Mapping[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headings.values())
        writer.writerows([row.get(name, "") for name in headings] for row in rows)


if __name__ == "__main__":
    main()
