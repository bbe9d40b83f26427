"""The dashboard and the alerts in deploy/ speak of metrics and labels that the service has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # ships no types

from repository import metrics

DEPLOY = Path(__file__).parents[3] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "frankpledge.json").read_text("utf-8"))
RULES: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus" / "frankpledge.rules.yml").read_text("utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
NOT_OURS = {"up"}
"""Metrics that Prometheus makes itself."""
WORDS = {
    *("by", "on", "and", "or", "offset", "sum", "max", "min", "rate", "histogram_quantile", "predict_linear"),
    "label_values",
}
OF_EVERY_TARGET = {"job", "instance", "le"}


def _panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def _expressions() -> Iterator[tuple[str, str]]:
    for panel in _panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for each in DASHBOARD["templating"]["list"]:
        if each["type"] == "query":
            yield each["name"], each["definition"]
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]


def names(expression: str) -> set[str]:
    """The metrics that an expression names: all that is neither a label, a word of the language, nor a number."""
    bare = re.sub(r'"[^"]*"|\{[^{}]*\}|\[[^\]]*\]|\b(?:by|on)\s*\([^()]*\)', " ", expression)
    bare = re.sub(r",\s*(?:job|instance)\s*\)", ")", bare)  # what label_values is asked for
    return set(re.findall(r"(?<![\w.$])[a-zA-Z_:][\w:]*", bare)) - WORDS - {"1d", "1h"}


def labels(expression: str) -> set[tuple[str, str]]:
    """(metric, label) of every selector."""
    return {
        (metric, label)
        for metric, inside in re.findall(r"([a-zA-Z_:][\w:]*)\{([^{}]*)\}", expression)
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside)
    }


@pytest.mark.parametrize(("where", "expression"), list(_expressions()))
def test_every_metric_named_is_one_of_the_service(where: str, expression: str) -> None:
    """A metric that is renamed, or whose kind changes, fails here; so does a label in a selector."""
    found = names(expression)
    assert found, where
    assert found - NOT_OURS <= metrics.families()
    for metric, label in labels(expression):
        assert metric in NOT_OURS or label in OF_EVERY_TARGET | metrics.labels_of(metric), (metric, label)


def test_a_renamed_metric_would_be_noticed() -> None:
    """The parser finds names wherever they are, and takes no label, duration or word of the language for one."""
    expression = (
        'sum by (job, le) (rate(frankpledge_nothing_total{route="/v1/x"}[5m])) / frankpledge_batches offset 1d > 2'
        " and on (job) histogram_quantile(0.99, other_bucket)"
    )
    assert names(expression) == {"frankpledge_nothing_total", "frankpledge_batches", "other_bucket"}
    assert labels(expression) == {("frankpledge_nothing_total", "route")}


def test_everything_that_is_measured_is_on_the_dashboard() -> None:
    """Nothing is counted for nobody. Of a histogram one series will do."""
    shown = set().union(*(names(expression) for _, expression in _expressions()))
    kinds = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics.families()}
    assert kinds == {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown - NOT_OURS}


def test_the_dashboard_is_tied_to_no_installation() -> None:
    """The data source, job and instance are variables; ids are unique; panels stay in the grid and do not overlap."""
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "job", "instance"}
    assert set(re.findall(r'"uid": "([^"]*)"', json.dumps(DASHBOARD["panels"]))) == {"${datasource}"}
    for panel in _panels():
        for target in panel["targets"]:
            assert 'job=~"$job"' in target["expr"]
            assert 'instance=~"$instance"' in target["expr"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert 0 <= at["x"] <= at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_what_to_do() -> None:
    """A severity, a summary and a first step; it waits before it wakes anyone; names are unique."""
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["for"]
        assert set(rule["annotations"]) == {"summary", "description"}
