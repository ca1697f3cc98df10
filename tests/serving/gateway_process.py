"""A gateway as a process of its own, to be killed: `python -m tests.serving.gateway_process DATABASE PORT`."""

from __future__ import annotations

import sys

import uvicorn

from pipeline.methods import generation_stages
from serving.app import build_app
from serving.work.stages import StagesServer
from tests.serving.service import serve_config, service_on


def main(database: str, port: int) -> None:
    config = serve_config(serve={"database": database})
    stages = StagesServer(generation_stages(config))
    uvicorn.run(build_app(service_on(database, stages, config)), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
