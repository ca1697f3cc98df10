"""The code model on an engine of our own: one autoscaled Serve deployment of vLLM, for all stages, rows and methods.

Callers reach it by handle (`serving.serve_llm.ServeLLM`), or over HTTP where it is deployed with a route.
"""

from __future__ import annotations

import logging
import os
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import ray
from ray import serve

from pipeline.errors import DLCodeGenError
from serving.engine_settings import EngineSettings

APP = "code-llm"

_STRUCTURED_OUTPUTS = {"backend": "guidance", "disable_any_whitespace": True}
"""Compact JSON of bounded schemas is what made random weights give 100% valid plans; the default backend did not."""

_START_TRIES = 1
"""What keeps an engine from starting keeps it from starting again, a minute later."""

_CPU_STEP_TOKENS = 4096
"""Tokens that a CPU engine computes in one step, unless a prompt is longer."""

_LOGS = "/tmp/ray/session_latest/logs/worker-*.err"


def deploy(engine: EngineSettings, *, app: str = APP, route: str | None = None) -> None:
    """Starts the engine on the Ray cluster and returns when it answers. With a `route` (as "/") it also speaks the
    OpenAI API over HTTP there. Needs an initialised Ray.

    Raises DLCodeGenError where vLLM, the model, or the hardware is missing, or the engine does not start.
    """
    if find_spec("vllm") is None:
        raise DLCodeGenError("llm=vllm needs vLLM: install the `cpu` or the `gpu` extra (make setup-cpu for CPUs)")
    _check_model(engine.model)
    use_gpu = _device(engine) == "gpu"
    _only_warnings()
    if route is None:
        serve.start(proxy_location="Disabled")  # no port is opened for calls by handle
    try:
        serve.run(_application(engine, use_gpu=use_gpu, http=route is not None), name=app, route_prefix=route)
    except RuntimeError as error:
        reason = _reason(app) or str(error)
        undeploy(app)
        raise DLCodeGenError(
            f"the engine for model={engine.model} does not start: {reason}; for the cause look for "
            f"Error in {_LOGS} of its machine"
        ) from error


def undeploy(app: str = APP) -> None:
    """Ends the engine and frees what it holds, Serve included where nothing else runs on it; an engine that does not
    run is no error."""
    serve.delete(app)
    if not serve.status().applications:
        # Its controller ends without an answer, as planned, and Ray prints that to standard output as an error.
        with redirect_stdout(StringIO()):
            serve.shutdown()


def _only_warnings() -> None:
    """Serve, its LLM package and vLLM tell the driver's terminal every step; a handler of their own keeps the first two
    from adding more. What goes wrong is raised."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    logger = logging.getLogger("ray.serve")
    logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.WARNING)


def _check_model(model: str) -> None:
    """A folder holds a model, or the name is one for the hub to know."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        if model.startswith(("/", ".", "~")):
            raise DLCodeGenError(f"model={model}: there is no such folder")
        if os.environ.get("HF_HUB_OFFLINE") == "1" and "://" not in model and not _is_cached(model):
            raise DLCodeGenError(
                f"model={model}: no such folder, and the hub is switched off (HF_HUB_OFFLINE=1); give a local folder"
            )
        return
    wanted = {"config.json": ("config.json",), "a tokenizer": ("tokenizer.json", "tokenizer.model", "vocab.json")}
    for name, files in wanted.items():
        if not any((folder / file).exists() for file in files):
            raise DLCodeGenError(f"model={model}: the folder holds no {files[0]}; it needs {name} beside the weights")


def _is_cached(model: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(model, "config.json"), str)


def _device(engine: EngineSettings) -> str:
    """Where the engine runs. Raises DLCodeGenError where the cluster lacks what it cannot do without: Serve would wait
    for it without end."""
    gpus = ray.cluster_resources().get("GPU", 0)
    if engine.device == "gpu" or (engine.device == "auto" and (gpus or engine.gpus > 1)):
        # A cluster that grows adds the GPUs when a replica asks for them.
        if gpus < engine.gpus and not _cluster_grows():
            raise DLCodeGenError(
                f"model={engine.model} wants {engine.gpus} GPUs a replica and the cluster has {gpus:.0f}; "
                "use a smaller model, or engine.device=cpu where it is small enough"
            )
        return "gpu"
    cores = ray.cluster_resources().get("CPU", 0)
    if cores <= engine.cpus and not _cluster_grows():
        raise DLCodeGenError(
            f"model={engine.model} wants {engine.cpus} cores beside those of the stages, and Ray has {cores:.0f}; "
            "set engine.cpus lower, or start Ray with more (--workers counts them)"
        )
    return "cpu"


def _cluster_grows() -> bool:
    """Whether an autoscaler may add nodes: Ray's launcher leaves its file on the head, KubeRay sets its variable."""
    return "RAY_CLUSTER_NAME" in os.environ or os.path.exists(os.path.expanduser("~/ray_bootstrap_config.yaml"))


def _application(engine: EngineSettings, *, use_gpu: bool, http: bool) -> Any:
    """The Serve application. Ray's LLM package is imported here, since it fails without vLLM."""
    from ray.serve.llm import LLMConfig, LLMServingArgs, build_llm_deployment, build_openai_app

    from serving.code_llm_server import CodeLLMServer

    config = LLMConfig(**llm_config(engine, use_gpu=use_gpu), server_cls=CodeLLMServer)
    if http:
        return build_openai_app(LLMServingArgs(llm_configs=[config]))
    return build_llm_deployment(config, deployment_cls=CodeLLMServer)


def llm_config(engine: EngineSettings, *, use_gpu: bool) -> dict[str, Any]:
    """The fields of Ray's LLMConfig for a model on this hardware."""
    replicas = engine.replicas
    arguments: dict[str, Any] = {
        "max_model_len": engine.context_length,
        "max_num_seqs": engine.max_sequences,
        "dtype": engine.dtype,
        "enable_prefix_caching": True,
        "enable_prompt_tokens_details": True,  # else the usage does not tell what the prefix cache had
        "structured_outputs_config": _STRUCTURED_OUTPUTS,
    }
    variables: dict[str, str] = {}
    placement: dict[str, Any] | None = None
    if use_gpu:
        arguments |= {
            "tensor_parallel_size": engine.tensor_parallel,
            "pipeline_parallel_size": engine.pipeline_parallel,
            "gpu_memory_utilization": engine.gpu_memory,
        }
    else:
        arguments |= {
            "kv_cache_memory_bytes": int(engine.kv_cache_gb * 2**30),
            # A prompt that is computed in parts ends vLLM 0.29 on a CPU if its request has a seed ("CPU Generator does
            # not use offset"). So prompts stay whole, and a step has room for the longest.
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(engine.context_length, _CPU_STEP_TOKENS),
        }
        # Threads by number: bound to cores, two replicas of a machine would share the first ones.
        variables = {"OMP_NUM_THREADS": str(engine.cpus), "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
        placement = {"bundles": [{"CPU": engine.cpus}]}
        if engine.weights_gb:
            placement["bundles"][0]["memory"] = int((engine.weights_gb + engine.kv_cache_gb) * 1e9)
    return {
        "model_loading_config": {"model_id": served_name(engine.model), "model_source": engine.model},
        "engine_kwargs": arguments | engine.options,
        "accelerator_type": engine.accelerator if use_gpu else None,
        "placement_group_config": placement,
        "runtime_env": {"env_vars": variables | {"RAY_SERVE_LLM_LOG_LEVEL": "WARNING"}},
        "log_engine_metrics": False,
        "deployment_config": {
            "autoscaling_config": {
                "min_replicas": replicas.min,
                "max_replicas": replicas.max,
                "initial_replicas": max(1, replicas.min),
                "target_ongoing_requests": replicas.target_requests,
            },
            "max_ongoing_requests": replicas.max_requests,
            "max_constructor_retry_count": _START_TRIES,
            "ray_actor_options": {"num_cpus": 0},  # the placement group holds what the engine needs
        },
    }


def deployment_name(model: str) -> str:
    """What Ray calls a model's deployment inside of its application."""
    return "CodeLLMServer:" + served_name(model).replace("/", "--").replace(".", "_")


def served_name(model: str) -> str:
    """What the engine calls a model: a hub id as it is, a folder by its last part."""
    return Path(model).expanduser().resolve().name if Path(model).expanduser().is_dir() else model


def _reason(app: str) -> str:
    """What the deployments of an application say about why they failed, shortened to the last line."""
    status = serve.status().applications.get(app)
    messages = [deployment.message for deployment in status.deployments.values()] if status else []
    lines = [line for message in messages for line in message.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
