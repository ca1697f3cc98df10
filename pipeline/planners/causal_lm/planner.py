"""The GPT-2 planner (paper, section III.A): a fine-tuned language model whose every answer is a
valid plan.

torch and transformers, an extra of this project, are imported when a planner is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.errors import DLCodeGenError
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.causal_lm.codec import CONTEXT, PlanCodec
from pipeline.planners.causal_lm.model_folder import gpt2_config, local_model_folder
from pipeline.records import Requirement

BEAMS = 3
"""As in the paper, section IV.A."""


class Gpt2Planner:
    """Plans from a GPT-2 in a folder.

    `folder` is a path or fsspec URL of what `dlcodegen train-planner` wrote, or of any GPT-2 in
    transformers' layout. `batch` prompts are decoded at once. `device` is by default a GPU where
    there is one.

    Raises DLCodeGenError where the folder holds no such model or the extra is not installed.
    """

    def __init__(self, folder: str, *, beams: int = BEAMS, batch: int = 16, device: str | None = None) -> None:
        with local_model_folder(folder) as path:
            model, tokenizer, torch = _load(path, folder)
            self._codec = PlanCodec(tokenizer, min(CONTEXT, int(model.config.n_positions)), name=folder)
        from pipeline.planners.causal_lm.decoding import PlanDecoder  # imports torch

        tokens, outputs = len(self._codec.pieces), model.config.vocab_size
        if tokens > outputs:
            raise DLCodeGenError(
                f"{folder}: the tokenizer has {tokens} tokens and the model {outputs}; they do not belong together"
            )
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if device.startswith("cuda"):
            model = model.to(device, torch.bfloat16)
        self._decoder = PlanDecoder(model, self._codec, beams=beams)
        self._batch = batch

    def __call__(self, record: Requirement) -> dict[str, object]:
        """The field `plan`; nothing was looked up, so `plan_sources` is empty."""
        return {"plan": self.plans([record])[0], "plan_sources": ()}

    def plans(self, records: Sequence[Requirement]) -> list[SolutionPlan]:
        """A plan for each record, in order. Prompts of like length share a batch."""
        prompts = []
        for record in records:
            prompts.append(self._codec.prompt(record.requirement, record.attributes))
        order = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
        plans: dict[int, SolutionPlan] = {}
        for start in range(0, len(order), self._batch):
            batch = order[start : start + self._batch]
            decoded = self._decoder.decode([prompts[number] for number in batch])
            for number, tokens in zip(batch, decoded, strict=True):
                plans[number] = self._codec.decode(tokens)
        return [plans[number] for number in range(len(prompts))]


def _load(path: str, folder: str) -> tuple[Any, Any, Any]:
    try:
        import torch
        from transformers import AutoTokenizer, GPT2LMHeadModel
        from transformers.utils.logging import disable_progress_bar
    except ImportError as error:
        raise DLCodeGenError(
            f"planner gpt2 needs torch and transformers ({error}); run `make setup-cpu`, or install the extra gpu"
        ) from error
    disable_progress_bar()  # type: ignore[no-untyped-call]  # of reading the weights, which takes no time to speak of
    try:
        return (
            GPT2LMHeadModel.from_pretrained(path, config=gpt2_config(path)),
            AutoTokenizer.from_pretrained(path),
            torch,
        )
    except Exception as error:  # damaged files raise whatever their readers raise (safetensors, JSON, torch)
        reason = str(error).strip().split("\n")[0].replace(path, folder)
        raise DLCodeGenError(f"{folder}: cannot be loaded as a GPT-2 ({reason}); train or copy it anew") from error
