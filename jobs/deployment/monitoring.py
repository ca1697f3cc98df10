"""Files for Prometheus and Grafana, from the table of metrics (`pipeline.monitoring`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from pipeline.monitoring import ALERTS, BOARD, Alert, Panel

_COLUMNS = 24
"""A board is so wide."""

_ACROSS = 3
"""Panels side by side."""

_HEIGHT = 8

_SOURCE = {"type": "prometheus", "uid": "${source}"}


def monitoring_files() -> dict[str, str]:
    """Names and texts: a board to import into Grafana, rules and a scrape configuration for Prometheus."""
    rules = {"groups": [{"name": "dlcodegen", "rules": [_rule(alert) for alert in ALERTS]}]}
    return {
        "grafana.json": json.dumps(_board(), indent=2) + "\n",
        "rules.yaml": yaml.safe_dump(rules, sort_keys=False, width=1000),
        "prometheus.yaml": yaml.safe_dump(_SCRAPING, sort_keys=False),
    }


_SCRAPING = {
    "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
    "rule_files": ["rules.yaml"],
    # The head writes the addresses of its nodes there, and keeps them current.
    "scrape_configs": [
        {"job_name": "ray", "file_sd_configs": [{"files": ["/tmp/ray/prom_metrics_service_discovery.json"]}]}
    ],
}


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": f"{alert.minutes}m",
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary},
    }


def _board() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in BOARD.items():
        panels.append(
            {
                "type": "row",
                "id": len(panels) + 1,
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": top, "w": _COLUMNS, "h": 1},
            }
        )
        panels += _row(row, len(panels) + 1, top + 1)
        top += 1 + _HEIGHT * -(-len(row) // _ACROSS)
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": "dlcodegen",
        "title": "DLCodeGen",
        "schemaVersion": 39,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [source]},
        "panels": panels,
    }


def _row(row: Sequence[Panel], first_id: int, top: int) -> list[dict[str, Any]]:
    width = _COLUMNS // _ACROSS
    lines = [divmod(place, _ACROSS) for place in range(len(row))]
    return [
        {
            "type": "timeseries",
            "id": first_id + place,
            "title": panel.title,
            "datasource": _SOURCE,
            "gridPos": {"x": width * column, "y": top + _HEIGHT * line, "w": width, "h": _HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": "A", "datasource": _SOURCE, "expr": panel.expression, "legendFormat": panel.legend},
            ],
        }
        for place, (panel, (line, column)) in enumerate(zip(row, lines, strict=True))
    ]
