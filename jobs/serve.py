"""The online service on this machine: plans, projects and the code model over HTTP, with a page.

python -m jobs.serve serve.port=8700 --config serving.yaml
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import ray
import yaml
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.schema import ServeDeploySchema

from jobs.cluster.ray_start import start_ray
from jobs.generation.language_model import language_model, with_context_length
from jobs.generation.model_presets import engine_settings
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError, FaultError
from pipeline.methods import WITH_CHAINS, generation_stages
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.stage import Stage
from pipeline.starter import STARTER
from serving.api.code_model import CodeModelAddress
from serving.application import APP, application, listen, start
from serving.code_llm import APP as ENGINE_APP
from serving.code_llm import deployment_name, served_name
from serving.settings import ServeConfig, on_server
from serving.store.database import Database
from serving.store.keys import SCOPES, Keys


def main(config: ServeConfig, ready: Callable[[str, str | None], None], wait: Callable[[], None]) -> None:
    """Starts the service, says `ready` (its address, and the first key where there was none), and ends it, with what is
    under way given its time, when `wait` returns or is interrupted. Raises DLCodeGenError where it cannot start."""
    config = settled(config)
    _require_free(config.serve.host, config.serve.port)
    require_keys(config)
    start_ray(None, None)
    _require_one_node(config)
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    try:
        listen(config.serve.host, config.serve.port)
        with _code_model(config) as (code_model, stages):
            try:
                start(application(config, stages, code_model, cores=cores))
            except RuntimeError as error:
                raise FaultError(f"the service does not start: {_reason(error)}") from error
            ready(address(config), first_key(config))  # not before: it is told this once
            try:
                wait()
            finally:
                drain(config)
    finally:
        _shut_down()


def settled(config: ServeConfig) -> ServeConfig:
    """The settings as the service's processes take them, with nothing left to `auto`. Raises DLCodeGenError for what
    cannot be read here: it would be read in every process."""
    if config.writing.method in WITH_CHAINS:
        raise DLCodeGenError(f"method={config.writing.method} needs chains of thought; use dlcodegen generate")
    if config.data.path:
        raise DLCodeGenError("data=... is one user's own; describe it in each request instead")
    if config.execution.enabled:
        raise DLCodeGenError("execute=on runs what it writes, and the service runs nothing; use dlcodegen execute")
    config = config.for_input(STARTER)
    # Replies are kept beside the service's file; where its database is on a server, in the folder that it starts in.
    file = "" if on_server(config.serve.database) else config.serve.database
    llm = with_context_length(config.llm).with_cache_for(file)
    config = config.model_copy(update={"llm": llm})
    load_samples(config.retrieval.pool)
    load_known_plans(config.planner.plans)
    return config


def require_keys(config: ServeConfig) -> None:
    """Raises DLCodeGenError for an address that others can reach, and no key yet. Opens the database in any case: what
    is wrong with it is said here."""
    keys = Keys(Database(config.serve.database))
    if not config.serve.is_local and not any(key.valid for key in keys.all()):
        raise DLCodeGenError(
            f"serve.host={config.serve.host} can be reached by others, and there is no key yet; make one with: "
            f"dlcodegen keys add NAME --database {config.serve.database}"
        )


def first_key(config: ServeConfig) -> str | None:
    """The secret of a key with all scopes, made where there is none yet."""
    keys = Keys(Database(config.serve.database))
    if any(key.valid for key in keys.all()):
        return None
    return keys.add("first", config.serve.quotas, SCOPES)[1]


def address(config: ServeConfig) -> str:
    """Where the page is."""
    host = config.serve.host
    return f"http://{f'[{host}]' if ':' in host else host}:{config.serve.port}/"


def build(arguments: dict[str, Any]) -> Any:
    """The application for `ray serve deploy`: its YAML names this function, and settings as its arguments."""
    config = settled(load_settings(ServeConfig, None, (), **arguments))
    if config.llm.backend == "vllm":
        raise DLCodeGenError(
            "llm=vllm is started by `dlcodegen serve`; deploy the engine by itself, and name it with llm=openai"
        )
    require_keys(config)
    with language_model(config.llm) as llm:
        return application(config, generation_stages(config, llm))


def deploy_yaml(config: ServeConfig) -> str:
    """What `serve deploy` takes, as Ray's own schema has it. Raises DLCodeGenError for what has no place in a file."""
    database = config.serve.database
    if on_server(database) and urlsplit(database).password:
        raise DLCodeGenError("serve.database has a password in it, which would be written down: give it as PGPASSWORD")
    given = config.model_dump(mode="json", exclude_unset=True)
    document = {
        "proxy_location": "HeadOnly",
        "http_options": {"host": config.serve.host, "port": config.serve.port},
        "applications": [{"name": APP, "route_prefix": "/", "import_path": "jobs.serve:build", "args": given}],
    }
    ServeDeploySchema.model_validate(document)
    return yaml.safe_dump(document, sort_keys=False)


def drain(config: ServeConfig) -> None:
    """Lets the projects under way end, as long as the settings give them."""
    try:
        serve.get_deployment_handle("Gateway", APP).drain.remote().result(timeout_s=config.serve.drain_seconds + 5)
    except (RayError, RayServeException, TimeoutError):
        return  # it is gone; its projects go on at the next start


@contextmanager
def _code_model(config: ServeConfig) -> Iterator[tuple[CodeModelAddress | None, tuple[Stage, ...]]]:
    """The code model's address where there is an engine of our own, and the stages that ask it."""
    with language_model(config.llm) as llm:
        address = None
        if config.llm.backend == "vllm":
            engine = engine_settings(config.llm)
            address = CodeModelAddress(
                name=served_name(engine.model),
                app=ENGINE_APP,
                deployment=deployment_name(engine.model),
                context_length=engine.context_length,
            )
        yield address, generation_stages(config, llm)


def _require_free(host: str, port: int) -> None:
    """Serve would try for half a minute, and then say that a replica did not start."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        raise FaultError(f"{host}:{port} cannot be listened on ({error.strerror}); give another serve.port") from error


def _require_one_node(config: ServeConfig) -> None:
    nodes = sum(bool(node["Alive"]) for node in ray.nodes())
    if nodes > 1:
        raise DLCodeGenError(
            f"serve.database={config.serve.database}: SQLite serves one machine, and this cluster has {nodes}; "
            "run the service on a machine of its own, and have language models on the cluster (llm=openai)"
        )


def _reason(error: BaseException) -> str:
    messages = []
    if ray.is_initialized():  # else Serve would look for another Ray
        status = serve.status().applications.get(APP)
        messages = [deployment.message for deployment in status.deployments.values()] if status else []
    lines = [line.strip() for message in [*messages, str(error)] for line in message.splitlines() if line.strip()]
    told = [line for line in lines if "Error" in line] or lines
    return told[-1] if told else type(error).__name__


def _shut_down() -> None:
    # Its controller ends without an answer, as planned, and Ray prints that to standard output as an error.
    with redirect_stdout(StringIO()):
        serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    from jobs import run_command

    run_command("serve")
