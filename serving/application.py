"""The online service as a Serve application: `Gateway` -> `Stages` (and the code model, an application of its own)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ray import serve
from ray.serve import Application

from pipeline.stage import Stage
from serving.api.code_model import CodeModelAddress
from serving.gateway import Gateway
from serving.settings import ServeConfig
from serving.work.events import outline
from serving.work.stages import StagesServer

APP = "dlcodegen"

_GATEWAY_REQUESTS = 4_096
"""Requests at once in the gateway. What is too much it says itself, in our words; Serve's own are plain text."""

_GATEWAY_TARGET = 200
"""Requests at once for which a gateway has a core's worth of work, streams of 20 tokens a second among them."""

_AT_THE_DOOR = 1
"""Projects beside the one it works on that a replica of computing stages may have before another one is started."""


def application(
    config: ServeConfig, stages: Sequence[Stage], code_model: CodeModelAddress | None = None, *, cores: int = 1
) -> Application:
    """The application for a method's stages; up to `cores` processes work on them where the settings say nothing."""
    replicas = config.serve.stages
    waits = any(stage.waits for stage in stages)
    target = max(1, replicas.rows_in_flight // 2) if waits else 1 + _AT_THE_DOOR
    most = max(replicas.min, replicas.max or cores)
    stages_server = serve.deployment(
        StagesServer,
        name="Stages",
        max_ongoing_requests=replicas.rows_in_flight,  # those beyond it the handle asks about again and again
        autoscaling_config={
            "min_replicas": replicas.min,
            "max_replicas": most,
            "target_ongoing_requests": target,
            "upscale_delay_s": 2,
            "downscale_delay_s": 120,
        },
        ray_actor_options={"num_cpus": replicas.cpus},
        graceful_shutdown_timeout_s=config.serve.drain_seconds,
    ).bind(tuple(stages))
    return serve.deployment(
        serve.ingress()(Gateway),
        name="Gateway",
        autoscaling_config={
            "min_replicas": 1,
            "max_replicas": config.serve.gateways,
            "target_ongoing_requests": _GATEWAY_TARGET,
            "upscale_delay_s": 5,
            "downscale_delay_s": 300,
        },
        max_ongoing_requests=_GATEWAY_REQUESTS,
        ray_actor_options={"num_cpus": 0},
        graceful_shutdown_timeout_s=config.serve.drain_seconds,
    ).bind(config, stages_server, outline(stages), code_model)


def listen(host: str, port: int) -> None:
    """Starts Serve with its HTTP proxy at the address. Comes before any application: Serve takes no other later."""
    logger = logging.getLogger("ray.serve")
    logger.addHandler(logging.NullHandler())  # of its own, so that Serve adds none that tells the terminal every step
    logger.setLevel(logging.WARNING)
    serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port})


def start(application: Application) -> None:
    """Runs the application on the Ray cluster; returns when it answers."""
    serve.run(application, name=APP, route_prefix="/")
