"""The image, by reading its Dockerfile: nothing here can build it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from jobs.deployment.rendering import RAY_VERSION
from tests.jobs.deployment.rendered import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def _instructions() -> list[str]:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_its_base_is_pinned_and_its_user_is_nobody_special() -> None:
    lines = _instructions()
    images = [line.split()[1] for line in lines if line.startswith("FROM")]
    stages = {line.split()[3] for line in lines if re.match(r"FROM \S+ AS ", line)}
    foreign = [image for image in images if image not in stages and image != "${VARIANT}"]
    assert len(foreign) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", foreign[0])
    assert stages == {"base", "plain", "cpu", "gpu"}
    assert [line for line in lines if line.startswith("USER")][-1] == "USER 1000"


def test_it_has_all_packages_of_the_project_and_the_pins() -> None:
    copied = {word for line in _instructions() if line.startswith("COPY") for word in line.split()[1:-1]}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert copied >= {package.removesuffix("*") for package in packages}
    assert copied >= {"constraints.txt", "pyproject.toml", "README.md"}
    installs = [line for line in _instructions() if line.startswith("RUN uv pip install")]
    assert all("--constraints constraints.txt" in line for line in installs)


def test_kuberay_is_told_the_ray_that_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text()
    assert re.findall(r"^ray==(\S+)", pins, re.MULTILINE) == [RAY_VERSION]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")  # of the extra `dev`
    done = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True)
    assert done.stdout == ""
