"""Seeded requests with more prompt tokens than a step has room for, on the CPU engine as it is deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("vllm", reason="needs the `cpu` extra")

from serving.code_llm import llm_config
from serving.engine_settings import EngineSettings
from tests.vllm import tiny_models
from tests.vllm.conftest import ENGINE

ASK = """
import json, sys
from vllm import LLM, SamplingParams
model, arguments = sys.argv[1], json.loads(sys.argv[2])
prompts = [{"prompt_token_ids": [5 + number] * 1500} for number in range(6)]
sampling = [SamplingParams(temperature=1.0, max_tokens=4, seed=number, ignore_eos=True) for number in range(6)]
replies = LLM(model, **arguments).generate(prompts, sampling, use_tqdm=False)
print("REPLIES", [len(reply.outputs[0].token_ids) for reply in replies])
"""


def test_seeded_prompts_that_do_not_fit_into_one_step_are_all_answered(tmp_path: Path) -> None:
    model = tiny_models.llama(tmp_path / "llama")
    settings = EngineSettings.model_validate({"model": str(model), "context_length": 2048} | ENGINE)
    config = llm_config(settings, use_gpu=False)
    arguments = config["engine_kwargs"]
    del arguments["enable_prompt_tokens_details"]  # of the HTTP API, not of the engine
    environment = os.environ | config["runtime_env"]["env_vars"] | {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(model), json.dumps(arguments)], env=environment, capture_output=True, text=True
    )
    assert "REPLIES [4, 4, 4, 4, 4, 4]" in done.stdout, done.stdout[-2000:] + done.stderr[-4000:]
