"""The charts: precision over recall, a panel for each set, and what probabilities are worth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.quality.report import title
from benchmarks.quality.runs import Result
from benchmarks.quality.sets import SOURCES

Results = Mapping[str, Mapping[str, Result]]
PANELS = ("febrl4", "febrl3", "historical", "market")
COLOURS = (
    *("#1f66ad", "#17becf", "#6aaed6", "#2e7d32", "#bcbd22", "#81c784"),
    *("#9e1b1b", "#ef8a3c", "#8e5ea2", "#7f7f7f", "#000000", "#e377c2"),
)
EVERY = 2
"""Of the points of a curve every second is drawn, which nobody sees and which halves the file."""
OURS = " model"
"""How the names of our own tools end."""
FEWEST = 20
"""Pairs of a bin that a point is drawn for; fewer say nothing."""


def draw(results: Results, people: int, folder: Path) -> tuple[Path, Path]:
    """Draw both charts as SVG into a folder, and return their paths; the same results give the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "precision-recall.svg", folder / "reliability.svg"
    salt = "frankpledge"  # the same run gives the same file
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 8}):
        for path, figure in zip(paths, (curves(results, people), reliability(results, people)), strict=True):
            figure.savefig(path, metadata={"Date": None})
    return paths


def curves(results: Results, people: int) -> Figure:
    """Precision over recall of every tool, a panel for each set; both axes begin where the poorest curves do."""
    shown = [name for name in PANELS if name in results]
    figure = _figure(10, 4.0 * ((len(shown) + 1) // 2))
    tools = list(dict.fromkeys(tool for name in shown for tool in results[name]))
    colours = {tool: COLOURS[at % len(COLOURS)] for at, tool in enumerate(tools)}
    for at, name in enumerate(shown):
        axes = figure.add_subplot((len(shown) + 1) // 2, 2, at + 1)
        for tool, result in results[name].items():
            if result.get("curve"):
                recall, precision = zip(*result["curve"][::EVERY], strict=True)
                wide = 1.8 if tool.endswith(OURS) else 1.0
                axes.plot(recall, precision, color=colours[tool], linewidth=wide, label=tool)
        _frame(axes, title(name, people), "recall", "precision")
        # Where every tool is good, the corner is what tells them apart.
        axes.set_xlim(0.4 if name in {"historical", "market"} else 0.9, 1.002)
        axes.set_ylim(0.4 if name in {"historical", "market"} else 0.9, 1.002)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def reliability(results: Results, people: int) -> Figure:
    """The share of true pairs over the probability said, for each of our models, a line for each set."""
    tools = [
        tool for tool, result in next(iter(results.values())).items() if tool.endswith(OURS) and result.get("curve")
    ]
    lines = (len(tools) + 1) // 2
    figure = _figure(10, 5 * max(1, lines))
    for at, tool in enumerate(tools):
        axes = figure.add_subplot(lines, 2, at + 1)
        axes.plot((0, 1), (0, 1), color="#b0b0b0", linewidth=0.8, linestyle="--")
        for number, name in enumerate(name for name in SOURCES if name in results):
            bins = [each for each in results[name].get(tool, {}).get("reliability", []) if each[2] >= FEWEST]
            if bins:
                said, true, _ = zip(*bins, strict=True)
                colour = COLOURS[number % len(COLOURS)]
                axes.plot(said, true, color=colour, marker="o", markersize=3, linewidth=1.0, label=title(name, people))
        _frame(axes, tool, "probability said", "share of pairs that are matches")
    if tools:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _frame(axes: Axes, words: str, across: str, up: str) -> None:
    axes.set_title(words, loc="left", fontsize=9, fontweight="bold")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(color="#e0e0e0", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
