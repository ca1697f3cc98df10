"""The files of a cluster, rendered from its description and the templates beside this module."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from jobs.deployment.description import Deployment
from jobs.generation.model_presets import engine_settings
from pipeline.config import LLMSettings
from pipeline.errors import DLCodeGenError
from serving.engine_settings import EngineSettings

TEMPLATES = Path(__file__).with_name("templates")

Kind = Literal["kuberay", "launcher", "slurm"]

RAY_VERSION = "2.60.0"
"""Of constraints.txt (a test compares); KubeRay asks for it."""


def render(kind: Kind, deployment: Deployment) -> dict[str, str]:
    """The files of a kind of cluster: names and texts. Raises DLCodeGenError where the description lacks what this kind
    needs, or asks for what cannot be."""
    if kind == "launcher":
        return {"cluster.yaml": _text(f"launcher/{deployment.cloud.provider}.yaml.jinja", deployment)}
    if kind == "slurm":
        return {"job.sbatch": _text("slurm/job.sbatch.jinja", deployment)}
    _require_images(deployment)
    files = {name: _text(f"kuberay/{name}.jinja", deployment) for name in ("rayjob.yaml", "network.yaml", "redis.yaml")}
    if deployment.storage.kind == "volume":
        files["storage.yaml"] = _text("kuberay/storage.yaml.jinja", deployment)
    serve_config = yaml.safe_dump(service_config(deployment), sort_keys=False, width=1000)
    files["rayservice.yaml"] = _text("kuberay/rayservice.yaml.jinja", deployment, serve_config=serve_config)
    return files


def service_config(deployment: Deployment) -> dict[str, Any]:
    """The configuration of Ray Serve for the code model: Ray's OpenAI-compatible application around our engine's
    settings. Raises DLCodeGenError where the GPU group is too small for it."""
    from serving.code_llm import llm_config

    engine = _engine(deployment)
    gpu = deployment.gpu
    if gpu.max and (engine.tensor_parallel > gpu.gpus or engine.gpus * engine.replicas.max > gpu.max * gpu.gpus):
        raise DLCodeGenError(
            f"service.model={deployment.service.model} wants {engine.replicas.max} x {engine.gpus} GPUs, "
            f"{engine.tensor_parallel} of them in one machine; the group has at most {gpu.max} machines of {gpu.gpus}: "
            "set gpu.max and gpu.gpus higher, or service.replicas lower"
        )
    application = {
        "name": "code-llm",
        "route_prefix": "/",
        "import_path": "ray.serve.llm:build_openai_app",
        "args": {"llm_configs": [llm_config(engine, use_gpu=gpu.max > 0)]},
    }
    return {"http_options": {"host": "0.0.0.0", "port": 8000}, "applications": [application]}


def _engine(deployment: Deployment) -> EngineSettings:
    replicas = {"min": 1, "max": deployment.service.replicas}
    settings = LLMSettings(backend="vllm", model=deployment.service.model, engine={"replicas": replicas})
    return engine_settings(settings)


def _require_images(deployment: Deployment) -> None:
    """Pods run images, and there is none that is everybody's."""
    missing = [name for name in ("plain", deployment.engine_kind) if not getattr(deployment.image, name)]
    if missing:
        raise DLCodeGenError(
            f"Kubernetes needs images: build them from deploy/Dockerfile, push them, and give "
            f"{' and '.join(f'image.{name}=REGISTRY/NAME:TAG' for name in missing)}"
        )


def _text(template: str, deployment: Deployment, **more: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    # Every text of the description goes through one of these: it stays one value, whatever is in it.
    environment.filters["yaml"] = _as_yaml
    environment.filters["shell"] = shlex.quote
    environment.filters["shell_file"] = _as_shell_file
    values: Mapping[str, Any] = {name: getattr(deployment, name) for name in Deployment.model_fields}
    text = environment.get_template(template).render(values, deployment=deployment, ray_version=RAY_VERSION, **more)
    # What macros and conditions leave behind: empty lines inside of an indented block, and several in a row.
    text = re.sub(r"\n\n+(?= )", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _as_shell_file(path: str) -> str:
    """A file's path as one word of a shell; `~/` still begins at the user's home."""
    if path.startswith("~/"):
        return f'"$HOME"/{shlex.quote(path[2:])}'
    # `source` looks for a bare name among the commands first.
    return shlex.quote(path if "/" in path else f"./{path}")


def _as_yaml(value: object) -> str:
    """A value as YAML on one line: plain where it reads as the same value so, else in quotes (JSON is YAML)."""
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z0-9~/._][\w~/.:@=+-]*(?<!:)", value) is not None
        return value if plain and yaml.safe_load(value) == value else json.dumps(value)
    return json.dumps(value)
