"""The report: figures by set and tool, the market at several sizes, fairness, and the bars that are aimed for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.quality import ours
from benchmarks.quality.runs import Result, Run, measured
from benchmarks.quality.sets import SOURCES
from matching.schema import DEFAULT_SCHEMA, shipped_schemas

Report = dict[str, Any]
STRONG, GAP, CALIBRATION = 0.99, 0.02, 0.05
"""Least precision of band strong; the most F1 lost at band probable; the largest expected calibration error."""
LEAST_F1 = {
    "guarded": {"febrl4": 0.995, "febrl4-id": 0.9995, "febrl3": 0.985, "historical": 0.76},
    "broad": {"febrl4": 0.996, "historical": 0.82},
}


def gather(run: Run, names: Sequence[str], sizes: Sequence[int]) -> tuple[Report, dict[str, dict[str, Result]]]:
    """Measure sets, and the market of so many people; the report, and the results with their curves."""
    results = {name: measured(name, run) for name in names}
    report: Report = {
        "benchmark": "quality",
        "schemas": shipped_schemas(),
        "market_people": run.people,
        "sets": {
            name: {tool: result.get("figures", result) for tool, result in tools.items()}
            for name, tools in results.items()
        },
    }
    if "market" in names:
        report["pools"] = pools(run, sizes)
        market = results["market"]
        report["fairness"] = {tool: result["fairness"] for tool, result in market.items() if _default(tool)}
    report["bars"] = bars(report["sets"])
    return report, results


def pools(run: Run, sizes: Sequence[int]) -> dict[str, dict[str, Result]]:
    """How bands behave as the market grows: the same clerks, more people to be taken for each other."""
    alone = Run(run.work, run.people, run.quick, run.python, with_peers=False)
    kept = ("best", "bands", "probable_f1", "gap", "calibration_error", "calibration_error_of_shown")
    told: dict[str, dict[str, Result]] = {}
    for people in sizes:
        results = measured("market", alone, people)
        told[str(people)] = {tool: {name: result["figures"][name] for name in kept} for tool, result in results.items()}
    return told


def bars(sets: Mapping[str, Mapping[str, Result]]) -> list[dict[str, Any]]:
    """What is aimed for, what was measured, and whether it holds."""
    told = []
    for name, tools in sets.items():
        for tool, figures in tools.items():
            if not _ours(tool):
                continue
            strong, error = figures["bands"]["strong"]["precision"], figures["calibration_error"]
            found = [
                ("precision of strong", STRONG, strong, strong is None or strong >= STRONG),
                ("F1 lost at probable", GAP, figures["gap"], figures["gap"] <= GAP),
                ("calibration error", CALIBRATION, error, error <= CALIBRATION),
            ]
            least = LEAST_F1.get(tool.split("/")[0], {}).get(name)
            if least is not None and tool.endswith(ours.OWN):
                f1 = figures["best"]["f1"]
                found.append(("best F1", least, f1, f1 >= least))
            told += [
                {"set": name, "tool": tool, "what": what, "bar": bar, "measured": value, "holds": holds}
                for what, bar, value, holds in found
            ]
    return told


def title(name: str, people: int) -> str:
    """A set's name in tables."""
    source = SOURCES[name]
    return f"{source.title}, {people:,} people" if source.generated else source.title


def _ours(tool: str) -> bool:
    return tool.endswith((ours.OWN, ours.SHIPPED))


def _default(tool: str) -> bool:
    return _ours(tool) and tool.startswith(DEFAULT_SCHEMA)
