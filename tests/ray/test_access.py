"""Clusters that want a token: what is said, how soon, and what local runs leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.exceptions import AuthenticationError

from jobs.cluster.access import MODE, TOKEN
from jobs.cluster.faults import plain_fault
from pipeline.errors import FaultError
from tests.ray.heads import Head, started_head

pytestmark = [pytest.mark.ray, pytest.mark.slow]

RIGHT, WRONG = "0123456789abcdef" * 4, "fedcba9876543210" * 4


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """A cluster on loopback that wants the token RIGHT."""
    home = tmp_path_factory.mktemp("head")
    with started_head({MODE: "token", TOKEN: RIGHT, "HOME": str(home)}) as head:
        yield head


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home in which nothing is."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def _call(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command in a home of its own, with these of Ray's variables and no others."""
    others = {name: value for name, value in os.environ.items() if "RAY_AUTH" not in name}
    environment = {**others, "HOME": str(home), **variables}
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)


REFUSALS = """
import os, sys
from jobs.cluster.ray_start import start_ray
from pipeline.errors import FaultError

right, wrong = sys.argv[2:]
for variables in (
    {},
    {"RAY_AUTH_TOKEN": right},
    {"RAY_AUTH_MODE": "token"},
    {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": "no-such-file"},
    {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": wrong},
):
    os.environ.update(variables)
    try:
        start_ray(sys.argv[1], None)
    except FaultError as error:
        print(error)
    for name in variables:
        del os.environ[name]
"""


def test_a_missing_or_wrong_token_is_said_in_a_line(head: Head, home: Path) -> None:
    done = _call(home, "-c", REFUSALS, head.address, RIGHT, WRONG)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for line, said in zip(
        lines,
        [
            "wants a token, and none was sent to it (RAY_AUTH_MODE is not `token` here)",
            "wants a token, and none was sent to it (RAY_AUTH_MODE is not `token` here)",
            "there is no token to send to address=",
            "there is no token to send to address=",
            "has another token than the one in RAY_AUTH_TOKEN;",
        ],
        strict=True,
    ):
        assert said in line
        assert "put the cluster's token into ~/.ray/auth_token" in line
    assert RIGHT not in done.stdout
    assert WRONG not in done.stdout


def test_a_job_with_a_wrong_token_ends_in_a_line(head: Head, home: Path) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text(WRONG)
    (home / "in.txt").write_text("Sort photos of shells.\n")
    words = ["-m", "jobs.generate", str(home / "in.txt"), "--out", str(home / "out"), f"address={head.address}"]
    done = _call(home, *words, **{MODE: "token"})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "another token than the one in ~/.ray/auth_token;" in done.stderr


LOCAL_RUN = """
import os, sys
import ray
from jobs.cluster.ray_start import start_ray

@ray.remote
def sent():
    return os.environ["RAY_AUTH_TOKEN"]

start_ray(None, 1)
assert len(ray.get(sent.remote())) == 64
ray.shutdown()
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)  # a caller's own Ray, afterwards
ray.shutdown()
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=sys.argv[2])
start_ray(sys.argv[1], None)  # the same process, another cluster: the token of the local one is not sent to it
ray.shutdown()
"""

JOINS_WITH_A_FILE = """
import pathlib, sys
import ray
from jobs.cluster.ray_start import start_ray

start_ray(None, 1)
ray.shutdown()
token = pathlib.Path.home() / ".ray" / "auth_token"
token.parent.mkdir()
token.write_text(sys.argv[2])
start_ray(sys.argv[1], None)
assert ray.cluster_resources()
"""


def test_a_local_run_leaves_no_token_and_needs_none(head: Head, home: Path) -> None:
    done = _call(home, "-c", LOCAL_RUN, head.address, RIGHT)
    assert done.returncode == 0, done.stderr
    assert not (home / ".ray").exists()


def test_the_token_of_a_local_run_does_not_hide_the_cluster_s(head: Head, home: Path) -> None:
    done = _call(
        home, "-c", JOINS_WITH_A_FILE, f"127.0.0.1:{head.address.rpartition(':')[2]}", RIGHT, **{MODE: "token"}
    )
    assert done.returncode == 0, done.stderr


def test_a_token_that_is_refused_in_mid_run_is_no_lost_process() -> None:
    plain = plain_fault(AuthenticationError("InvalidAuthToken"))
    assert isinstance(plain, FaultError)
    assert "token" in str(plain)
    assert "lost a process" not in str(plain)
