"""The chart of a run: one row for each member, time to the right, its tier and ladder step in colour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from repository.domain.rulebook import Rulebook
from repository.simulation.running import Course
from repository.simulation.summary import State, states

_LOOKS = {
    State.ABSENT: ("#ffffff", "not a member yet"),
    State.NOTHING: ("#d4d4d4", "nothing (tier 0)"),
    State.HITS: ("#bfd9ee", "hit or no hit (tier 1)"),
    State.PARTLY: ("#6aaed6", "more, of some classes"),
    State.FULL: ("#1f66ad", "the pointer, of all classes (tier 3)"),
    State.WARNED: ("#f4d03f", "below target: warned, or on a plan"),
    State.RESTRICTED: ("#ef8a3c", "restricted (tier 1)"),
    State.SUSPENDED: ("#9e1b1b", "suspended (tier 0)"),
}
_ROW_INCHES = 0.24


def draw(
    courses: Sequence[Course], rulebook: Rulebook, title: str, folder: Path, name: str = "simulation"
) -> tuple[Path, Path]:
    """Draw who ends where, as PNG and SVG files in a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    salt = "frankpledge"  # the same run gives the same file
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 9}):
        figure = _figure(courses, rulebook, title)
        figure.savefig(png, dpi=130)
        figure.savefig(svg, metadata={"Date": None})
    return png, svg


def _figure(courses: Sequence[Course], rulebook: Rulebook, title: str) -> Figure:
    groups = list(dict.fromkeys(each.player.group for each in courses))
    courses = sorted(courses, key=lambda each: groups.index(each.player.group))
    figure = Figure(figsize=(12, 2.0 + _ROW_INCHES * len(courses)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    begin = min(course.player.membership.admitted_on - timedelta(days=course.player.start) for course in courses)
    days = max(course.player.start + course.player.days for course in courses)
    colours = ListedColormap([colour for colour, _ in _LOOKS.values()])
    norm = BoundaryNorm([each - 0.5 for each in range(len(_LOOKS) + 1)], colours.N)
    axes.imshow(
        states(courses, days, rulebook), cmap=colours, norm=norm, aspect="auto", interpolation="nearest",
        extent=(0, days, len(courses) - 0.5, -0.5),
    )  # fmt: skip
    axes.set_yticks(range(len(courses)), [f"{each.player.group}: {each.player.label}" for each in courses])
    months = list(range(0, days, 30))
    axes.set_xticks(months, [str(each) for each in months])
    axes.set_xlabel(f"days since {begin.isoformat()}")
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    _rule(axes, courses)
    patches = [Patch(facecolor=colour, edgecolor="#808080", label=words) for colour, words in _LOOKS.values()]
    figure.legend(handles=patches, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _rule(axes: Axes, courses: Sequence[Course]) -> None:
    """Lines between rows, stronger ones between groups."""
    for row in range(1, len(courses)):
        axes.axhline(row - 0.5, color="#ffffff", linewidth=1.2)
    row = 0
    for _, members in groupby(courses, lambda each: each.player.group):
        row += len(list(members))
        if row < len(courses):
            axes.axhline(row - 0.5, color="#303030", linewidth=1.0)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#ffffff", linewidth=0.5, alpha=0.6)
