"""Launcher files: Ray accepts them, cluster.yaml is one, and all machines demand the token."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.jobs.deployment.rendered import KINDS, LAUNCHERS, ROOT, rendered

IMAGES = ["image.plain=registry.example/dlcodegen:plain", "image.gpu=registry.example/dlcodegen:gpu"]


def _launcher(description: str, *settings: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(rendered(description, *settings)["cluster.yaml"])
    return config


def test_cluster_yaml_is_the_rendering_for_aws() -> None:
    assert (ROOT / "cluster.yaml").read_text() == rendered("aws")["cluster.yaml"]


def test_every_description_has_its_kind() -> None:
    assert {file.stem for file in (ROOT / "deploy").glob("*.yaml")} == set(KINDS)


@pytest.mark.parametrize("settings", [[], IMAGES, ["head.engine=true"], ["access.keys_file=~/keys.env"]])
@pytest.mark.parametrize("description", LAUNCHERS)
def test_ray_accepts_the_file(description: str, settings: list[str]) -> None:
    validate_config(prepare_config(_launcher(description, *settings)))


@pytest.mark.parametrize("description", LAUNCHERS)
def test_every_machine_has_the_token_and_demands_it(description: str) -> None:
    config = _launcher(description)
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    commands = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    starts = [command for command in commands if "ray start" in command]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token ray start" in command for command in starts)
    assert "--dashboard-host=127.0.0.1" in starts[0]


@pytest.mark.parametrize("description", LAUNCHERS)
def test_keys_come_from_a_file_that_is_read_before_ray_starts(description: str) -> None:
    config = _launcher(description, "access.keys_file=~/keys.env")
    assert config["file_mounts"]["~/.dlcodegen.env"] == "~/keys.env"
    for commands in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        assert commands[-1].startswith("set -a; . ~/.dlcodegen.env; set +a; ")


def test_the_engine_is_installed_where_it_runs() -> None:
    config = _launcher("aws")
    assert config["head_setup_commands"] == []
    assert any(command.endswith("~/dlcodegen[s3]") for command in config["setup_commands"])
    gpu = config["available_node_types"]["gpu_worker"]
    assert any(command.endswith("~/dlcodegen[gpu,s3]") for command in gpu["worker_setup_commands"])
    assert "worker_setup_commands" not in config["available_node_types"]["cpu_worker"]
    with_engine = _launcher("aws", "head.engine=true")["head_setup_commands"]
    assert [command.split()[-1] for command in with_engine] == ["~/dlcodegen[gpu,s3]"]


@pytest.mark.parametrize("description", ["aws", "gcp"])
def test_images_take_the_place_of_installing(description: str) -> None:
    text = rendered(description, *IMAGES)["cluster.yaml"]
    assert "pip install" not in text
    config = yaml.safe_load(text)
    assert config["docker"]["image"] == "registry.example/dlcodegen:plain"
    gpu = config["available_node_types"]["gpu_worker"]["docker"]
    assert gpu["worker_image"] == "registry.example/dlcodegen:gpu"


def test_workers_may_read_the_bucket() -> None:
    aws = _launcher("aws")["available_node_types"]
    for group in ("cpu_worker", "gpu_worker"):
        assert aws[group]["node_config"]["IamInstanceProfile"] == {"Name": "dlcodegen-workers"}
    gcp = _launcher("gcp")["available_node_types"]
    for group in ("cpu_worker", "gpu_worker"):
        assert "cloud-platform" in gcp[group]["node_config"]["serviceAccounts"][0]["scopes"][0]


def test_spot_machines_and_machine_images_with_a_driver() -> None:
    aws = _launcher("aws", "cpu.spot=true", "gpu.spot=false")["available_node_types"]
    assert aws["cpu_worker"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert "InstanceMarketOptions" not in aws["gpu_worker"]["node_config"]
    assert "nvidia-driver" in aws["gpu_worker"]["node_config"]["ImageId"]
    gcp = _launcher("gcp")["available_node_types"]
    assert gcp["gpu_worker"]["node_config"]["scheduling"][0]["preemptible"] is True
    assert gcp["gpu_worker"]["node_config"]["metadata"]["items"][0]["key"] == "install-nvidia-driver"


def test_a_group_of_none_is_left_out() -> None:
    config = _launcher("aws", "gpu.max=0")
    assert set(config["available_node_types"]) == {"head", "cpu_worker"}
    assert config["max_workers"] == 16
