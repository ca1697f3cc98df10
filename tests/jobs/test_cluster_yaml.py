"""cluster.yaml is a launcher file that Ray's own validation accepts."""

from __future__ import annotations

from pathlib import Path

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

CLUSTER = Path(__file__).parents[2] / "cluster.yaml"


def test_ray_accepts_the_file() -> None:
    config = prepare_config(yaml.safe_load(CLUSTER.read_text()))
    validate_config(config)
    groups = config["available_node_types"]
    assert groups["cpu_worker"]["max_workers"] > 1
    assert groups["gpu_worker"]["resources"]["GPU"] == 1
