"""`dlcodegen serve` and `dlcodegen keys` as far as they go without Ray."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml
from ray.serve.schema import ServeDeploySchema
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.serve import _require_free, deploy_yaml, first_key, require_keys, settled
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError, FaultError
from serving.settings import ServeConfig
from serving.store.database import Database
from serving.store.keys import Keys


def config(path: Path, **serve: object) -> ServeConfig:
    return ServeConfig(serve={"database": str(path / "db.sqlite"), **serve})


def dlcodegen(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_the_first_key_is_told_once(tmp_path: Path) -> None:
    secret = first_key(config(tmp_path))
    assert secret is not None
    assert Keys(Database(str(tmp_path / "db.sqlite"))).find(secret) is not None
    assert first_key(config(tmp_path)) is None


def test_others_reach_it_only_where_there_are_keys(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="dlcodegen keys add"):
        require_keys(config(tmp_path, host="0.0.0.0"))
    first_key(config(tmp_path))
    require_keys(config(tmp_path, host="0.0.0.0"))


def test_what_keeps_it_from_starting_is_said_before_ray_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(FaultError, match=r"serve\.port"):
        _require_free("127.0.0.1", taken.getsockname()[1])
    (tmp_path / "db.sqlite").write_text("this is a text and no database\n" * 40)
    with pytest.raises(DLCodeGenError, match="no SQLite"):
        require_keys(config(tmp_path))
    with pytest.raises(DLCodeGenError, match="postgresql://"):
        Database("mysql://somewhere/db")
    with pytest.raises(FaultError, match="folder"):
        Database(str(tmp_path / "nowhere" / "db.sqlite"))
    with pytest.raises(DLCodeGenError, match="chains"):
        settled(ServeConfig(llm="openai", model="m", method="c-cot"))
    with pytest.raises(DLCodeGenError, match="runs nothing"):
        settled(ServeConfig(execute="on"))
    with pytest.raises(DLCodeGenError, match=r"did you mean serve\.port"):
        load_settings(ServeConfig, None, ["serve.porrt=9"])


def test_nothing_is_left_to_auto(tmp_path: Path) -> None:
    ready = settled(config(tmp_path))
    assert (ready.retrieval.pool, ready.planner.plans) == ("starter", "starter")
    assert ready.llm.cache != "auto"


def test_the_yaml_is_what_ray_takes_and_names_our_settings(tmp_path: Path) -> None:
    settings = load_settings(ServeConfig, None, ["planner.neighbours=5", f"serve.database={tmp_path}/db.sqlite"])
    document = yaml.safe_load(deploy_yaml(settings))
    (application,) = ServeDeploySchema.model_validate(document).applications
    assert application.import_path == "jobs.serve:build"
    assert load_settings(ServeConfig, None, (), **application.args) == settings


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    file = str(tmp_path / "db.sqlite")
    made = dlcodegen("keys", "add", "Ada", "--database", file, "--projects", "5")
    secret = made.stdout.splitlines()[0]
    key = Keys(Database(file)).find(secret)
    assert key is not None
    assert key.quotas.projects == 5
    assert "Ada" in dlcodegen("keys", "list", "--database", file).stdout
    assert dlcodegen("keys", "revoke", key.id, "--database", file).exit_code == 0
    assert Keys(Database(file)).find(secret) is None
    wrong = dlcodegen("keys", "revoke", "key_0", "--database", file)
    assert isinstance(wrong.exception, DLCodeGenError)
