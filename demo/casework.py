"""The investigators' acts: a case is claimed, answered and decided by two people, and a ring is reported."""

from __future__ import annotations

import json
import time
from typing import Any

from demo.stage import CommandError, Party, Stage, call

REFUSED = 2
RING_SECONDS = 60.0
EVIDENCE = "Driver in two claims at two insurers within a month, both for the same injury, each said to be the first."
HEARD = "Telephoned: remembers neither claim."


def in_person(member: Party, user: str, secret: str) -> Party:
    """One of a member's people, at the member's machine, logged in by name."""
    logged_in = {"FRANKPLEDGE_USERNAME": user, "FRANKPLEDGE_PASSWORD": secret}
    programs = {"FRANKPLEDGE_CLIENT_ID", "FRANKPLEDGE_CLIENT_SECRET"}
    kept = {name: value for name, value in member.environment.items() if name not in programs}
    return Party(user, member.home, kept | logged_in)


def decide(stage: Stage, people: tuple[Party, Party], reference: str) -> None:
    """Play the case of a question, from the queue to the decision of the second person."""
    investigator, colleague = people
    stage.headline("6. Two investigators decide the case")
    stage.say("All that was found of one person is one case, however often it was asked after or filed.")
    listed = ("frankpledge", "cases", "list", "--like", reference)
    stage.run(investigator, *listed, "--limit", "1")
    case = _read(investigator, *listed, "--limit", "1")
    stage.run(investigator, "frankpledge", "cases", "move", case["id"], "claim")
    hits = _read(investigator, "frankpledge", "cases", "show", case["id"])["hits"]
    stage.say("\nFirst whether it is the same person at all; `not_same` would keep the two from being shown again.")
    for hit in [each for each in hits if each["band"] == "strong"][:2]:
        stage.run(investigator, "frankpledge", "cases", "answer", hit["id"], "same_subject")
    stage.say("\nThen what that means. What speaks against somebody takes evidence in words, and a second person.")
    finding = ("suspicion_upheld", "--evidence", EVIDENCE, "--subject-could-speak", "--subject-words", HEARD)
    stage.run(investigator, "frankpledge", "cases", "find", case["id"], *finding)
    approval = ("frankpledge", "cases", "decide", case["id"], "--approve")
    stage.run(investigator, *approval, status=(REFUSED,))
    stage.run(colleague, *approval)


def ring(stage: Stage, investigator: Party) -> None:
    """Show what the pool reported by itself: claims of several insurers that the same people link.

    Raises CommandError where nothing was reported in time.
    """
    stage.headline("7. A ring is reported")
    stage.say("Claims are linked across insurers as they come in. What looks staged is reported to those whose claims")
    stage.say("are in it, under a rule of the rulebook, with what would change it; again no verdict.")
    deadline = time.monotonic() + RING_SECONDS
    while not (found := _documents(investigator, "frankpledge", "networks", "--limit", "1")):
        if time.monotonic() > deadline:
            raise CommandError(f"No network was reported within {RING_SECONDS:.0f} s.")
        time.sleep(1.0)
    stage.run(investigator, "frankpledge", "networks")
    stage.run(investigator, "frankpledge", "networks", found[0]["id"])


def _read(party: Party, *command: str) -> dict[str, Any]:
    """The first document that a command prints as JSON."""
    return _documents(party, *command)[0]


def _documents(party: Party, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in call(party, *command, "--json").text.splitlines()]
