"""The quality benchmark on some dozen records: what it counts, what it keeps, and what it says of absent tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.books import COMMON
from benchmarks.market import HARD, Market
from benchmarks.quality import ours, peers, runs, tokens
from benchmarks.quality.report import bars, gather
from benchmarks.quality.runs import Run, measured
from benchmarks.quality.scoring import Scored, curve, measure
from benchmarks.quality.sets import DataSet, market, of_files, prepare, read
from benchmarks.quality.tables import TABLES, written
from matching.schema import shipped_schemas

NOWHERE = Path("/nowhere/python")


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """A market of three hundred people."""
    return market("market", tmp_path_factory.mktemp("market"), 300, identifiers=False)


def of(left: list[str], right: list[str] | None = None) -> DataSet:
    """A set of these people, whose files nobody reads."""
    one, other = Path("left"), Path("left" if right is None else "right")
    return DataSet("some", (one, other), np.array(left), np.array(left if right is None else right))


def test_true_pairs_are_counted_once() -> None:
    """Between files each pair counts, within a file each pair once, and of some rows looked up every pair of theirs."""
    assert of(["a", "b", ""], ["a", "a", "c", ""]).true_pairs() == 2
    assert of(["a", "b", "a", "a", "", ""]).true_pairs() == 3
    assert of(["a", "b", "a", "a", "", ""]).true_pairs(asked=1) == 2


def test_figures_are_of_the_pairs_told() -> None:
    """Best F1, area, completeness, bands and what the fixed threshold loses, of four pairs worked out by hand."""
    data = of(["a", "b", "c", "d"], ["a", "b", "c", "x", "d"])
    chances = np.array([0.999, 0.9, 0.6, 0.3])
    scored = Scored(np.array([0, 1, 1, 2]), np.array([0, 1, 0, 2]), np.log2(chances / (1 - chances)), chances)
    told = measure(scored, data)
    assert told["best"] == {"f1": 0.75, "precision": 0.75, "recall": 0.75}
    assert told["auc_pr"] == pytest.approx(0.25 + 0.25 + 0.25 * 0.75)
    assert told["pairs_completeness"] == 0.75
    assert told["bands"]["strong"] == {"precision": 1.0, "recall": 0.25}
    assert told["bands"]["probable"] == {"precision": 0.6667, "recall": 0.5}
    assert told["probable_f1"] == pytest.approx(2 * 2 / 7, abs=1e-4)
    assert told["gap"] == pytest.approx(0.75 - 4 / 7, abs=1e-4)
    assert told["calibration_error"] == pytest.approx((0.001 - 0.1 + 0.2 + 0.6 + 0.7) / 4, abs=0.06)
    assert curve(scored, data)[0] == [0.25, 1.0]


def test_one_to_one_keeps_the_best_pair_of_each_record() -> None:
    """Of two files the best F1 is also told where no record may have two links; within a file it may."""
    scored = Scored(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([2.0, 3.0, 1.0]))
    assert measure(scored, of(["b", "a"], ["a", "b"]))["one_to_one"] == {"f1": 0.6667, "precision": 1.0, "recall": 0.5}
    assert "one_to_one" not in measure(scored, of(["a", "a"]))


def test_the_true_person_reaches_no_tool(tmp_path: Path) -> None:
    """The files that tools read have neither the true person nor a column that is to be left out."""
    source = tmp_path / "source.csv"
    source.write_text("ref,cluster,given_name,national_id\n1,p1,Ann,77\n2,p1,Anne,77\n", "utf-8")
    data = of_files("some", tmp_path, [source], ["national_id"])
    assert read(data.files[0]) == [{"ref": "1", "given_name": "Ann"}, {"ref": "2", "given_name": "Anne"}]
    assert (data.duplicates, data.true_pairs()) == (True, 1)


def test_every_shipped_set_can_be_made(tmp_path: Path) -> None:
    """FEBRL 3 and the historical persons are in the repository, with as many true pairs as their README says."""
    febrl = prepare("febrl3", tmp_path, 0)
    assert (len(febrl.left), febrl.true_pairs()) == (5000, 6538)
    assert "national_id" not in read(febrl.files[0])[0]
    historical = prepare("historical", tmp_path, 0)
    assert len(historical.left) == 24964


def test_ours_links_a_market_by_either_model(books: DataSet) -> None:
    """Every shipped schema links the market well, by a model of its own, and the default one by the shipped model."""
    told = {name: measure(scored, books) for name, scored in ours.link(books, shipped_schemas()[0]).items()}
    assert [name.split(" ", 1)[1] for name in told] == [ours.OWN, ours.ALONE, ours.SHIPPED]
    for figures in told.values():
        assert figures["best"]["f1"] > 0.85, told
        assert figures["disguised"]["pairs"] > 0
    assert read(books.files[0])[0].keys() == {"ref", *COMMON}


def test_keyed_tokens_link_a_market(books: DataSet) -> None:
    """One token per field finds most pairs, and its probabilities are of some worth."""
    figures = measure(tokens.link(books), books)
    assert figures["best"]["f1"] > 0.7, figures
    assert figures["pairs_completeness"] > 0.9, figures


def test_tokens_compare_fields_by_whether_they_agree() -> None:
    """Case and spaces do not count, parts of a date are compared by themselves, and what is empty says nothing."""
    rows = [
        {"ref": "1", "given_name": "Ann Mary", "date_of_birth": "1980-02-03", "town": ""},
        {"ref": "2", "given_name": "annmary", "date_of_birth": "1980-03-03", "town": "Leeds"},
    ]
    names, table = tokens.tokens(rows, b"key")
    told = tokens.levels(table[:1], table[1:])
    assert dict(zip(names, told[0].tolist(), strict=True)) == {
        "given_name": 1, "town": 0, "year": 1, "month": -1, "day": 1
    }  # fmt: skip


def test_a_run_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured is read again and not measured; a peer that is absent is told so, and asked for again."""
    monkeypatch.setitem(peers.PEERS, "rapidfuzz WRatio", peers.PEERS["clkhash and anonlink"])
    run = Run(tmp_path, 60, quick=True, python=NOWHERE)
    first = measured("market", run)
    assert first["clkhash and anonlink"] == {"absent": "anonlink is not installed: run make bench-peers"}
    assert first[runs.TOKENS]["figures"]["true_pairs"] > 10
    asked: list[str] = []
    monkeypatch.setattr(ours, "link", lambda _data, schema: asked.append(schema))
    monkeypatch.setattr(tokens, "link", lambda _data: asked.append("tokens"))
    assert measured("market", run) == first
    assert asked == []


def test_the_report_has_every_part_and_its_tables_find_their_places(tmp_path: Path) -> None:
    """Sets, sizes, fairness and bars are told; each table lands between its markers, and a lacking marker is said."""
    run = Run(tmp_path, 150, quick=True, python=NOWHERE, with_peers=False)
    report, results = gather(run, ["market"], [60, 150])
    assert set(report["pools"]) == {"60", "150"}
    groups = next(iter(report["fairness"].values()))["origin"]
    assert sum(group["wronged"]["of"] for group in groups.values()) == 100
    assert {bar["what"] for bar in report["bars"]} >= {
        "precision of strong",
        "F1 lost at probable",
        "calibration error",
    }
    assert all(result["curve"] for result in results["market"].values())
    text = "".join(f"<!-- {name} -->\nolden\n<!-- /{name} -->\n" for name in TABLES)
    done = written(text, report)
    assert "olden" not in done
    assert done.count("| market, 150 people |") == 3
    assert written(done, report) == done
    for table in TABLES.values():
        assert len({line.count("|") for line in table(report).splitlines()}) == 1, table(report)
    with pytest.raises(ValueError, match="quality"):
        written("", report)


def test_bars_are_held_against_the_figures() -> None:
    """A bar of F1 is for the schema's own model, the bands' bars for both; what misses its bar does not hold."""
    figures = {
        "best": {"f1": 0.994}, "bands": {"strong": {"precision": 0.98}}, "gap": 0.03, "calibration_error": 0.01,
    }  # fmt: skip
    told = bars({"febrl4": {"guarded/9 own model": figures, "guarded/9 shipped model": figures, "another": figures}})
    holds = {(bar["tool"].split(" ", 1)[1], bar["what"]): bar["holds"] for bar in told}
    assert holds == {
        ("own model", "precision of strong"): False, ("own model", "F1 lost at probable"): False,
        ("own model", "calibration error"): True, ("own model", "best F1"): False,
        ("shipped model", "precision of strong"): False, ("shipped model", "F1 lost at probable"): False,
        ("shipped model", "calibration error"): True,
    }  # fmt: skip


def test_disguised_people_are_counted_by_themselves() -> None:
    """The recall of records altered on purpose is of the people who have one in the right book."""
    tagged = list(Market(3, habits=HARD).tagged(40))
    left, right = tagged[0::2], tagged[1::2]
    people = np.array([each.raw["cluster"] for each in left])
    data = DataSet("some", (Path("a"), Path("b")), people, people, (left, right))
    there = sum(each.disguised for each in right)
    every = np.arange(len(people))
    told = measure(Scored(every, every, np.ones(len(people))), data)["disguised"]
    assert told == {"pairs": there, "recall_at_best": 1.0 if there else None}
