"""The board and the rules: every metric is drawn, and what is asked for is told by somebody."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from jobs.cli import app
from jobs.deployment.monitoring import monitoring_files
from pipeline.monitoring import ALERTS, BOARD, METRICS

EXPRESSIONS = [panel.expression for row in BOARD.values() for panel in row] + [alert.expression for alert in ALERTS]

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_drawn_and_documented(metric) -> None:  # type: ignore[no-untyped-def]
    assert any(metric.series in expression for expression in EXPRESSIONS)
    assert f"| `{metric.series}` | {metric.kind} |" in (DOCS / "clusters.md").read_text()


def test_expressions_ask_for_nothing_else() -> None:
    told = {metric.series for metric in METRICS}
    asked = {re.sub("_bucket$", "", name) for text in EXPRESSIONS for name in re.findall(r"ray_\w+", text)}
    assert asked == told


def test_panels_fill_the_board_without_overlap() -> None:
    board = json.loads(monitoring_files()["grafana.json"])
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        columns = range(place["x"], place["x"] + place["w"])
        taken = {(x, place["y"] + down) for x in columns for down in range(place["h"])}
        assert not taken & cells
        cells |= taken
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_command_writes_the_files(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["deploy", "monitoring", "--out", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    assert answer.output.split() == [str(tmp_path / name) for name in ("grafana.json", "rules.yaml", "prometheus.yaml")]
    (group,) = yaml.safe_load((tmp_path / "rules.yaml").read_text())["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [alert.name for alert in ALERTS]
