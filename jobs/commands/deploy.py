"""`dlcodegen deploy`: files for clusters."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from jobs.commands.options import ConfigFile, Overrides

app = typer.Typer()
deploy = typer.Typer(help="Files for clusters: Kubernetes, clouds, Slurm (docs/clusters.md).", no_args_is_help=True)
app.add_typer(deploy, name="deploy")


OutFolder = Annotated[str, typer.Option("--out", help="The folder to write to; by default all is printed.")]


class ClusterKind(StrEnum):
    """What runs the cluster."""

    kuberay = "kuberay"
    launcher = "launcher"
    slurm = "slurm"


@deploy.callback()
def files_for_clusters() -> None:
    """Files for clusters: Kubernetes, clouds, Slurm (docs/clusters.md)."""


@deploy.command(
    epilog="Example:  dlcodegen deploy render launcher --config deploy/aws.yaml gpu.max=4 --out out/deploy",
)
def render(
    kind: Annotated[ClusterKind, typer.Argument(help="What runs the cluster.", show_default=False)],
    overrides: Overrides = None,
    config: ConfigFile = None,
    out: OutFolder = "",
) -> None:
    """Render a cluster's files from its description, a YAML file of settings as in deploy/."""
    from jobs.deployment.description import Deployment
    from jobs.deployment.rendering import render
    from pipeline.config import load_settings

    _give(render(kind.value, load_settings(Deployment, config, overrides or [])), out)


@deploy.command(epilog="Example:  dlcodegen deploy monitoring --out out/monitoring")
def monitoring(out: OutFolder = "") -> None:
    """Write a Grafana board of the batch jobs and the service, and rules and a scrape configuration for Prometheus."""
    from jobs.deployment.monitoring import monitoring_files

    _give(monitoring_files(), out)


def _give(files: Mapping[str, str], out: str) -> None:
    """Writes the files to a folder; without one, prints them."""
    from pipeline.storage.files import write_bytes

    for name, text in files.items():
        if not out:
            print(f"# ===== {name}", text, sep="\n", end="")
            continue
        path = f"{out.rstrip('/')}/{name}"
        write_bytes(path, text.encode())
        print(path)
