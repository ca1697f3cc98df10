"""Does a grammar library do what `pipeline.planners.causal_lm.constraint` does?

    python -m benchmarks.planner_grammar [--rows 16] [--context 512] [--spread 0.02 2] [--bounded]

The same plan grammar, written for xgrammar and for llguidance (both come with the `cpu` and `gpu` extras), decodes with
3 beams on a GPT-2 with random weights of a standard deviation of `--spread`: a matcher is forked for each hypothesis in
`transformers.generate`. Prints plans a CPU second, the share of valid plans within the context, and what a token costs
in the constraint alone (fork, accept, fill the mask) on known plans. All in one run.

Tokens cannot be counted in such a grammar. `--bounded` bounds texts and the list of layers in characters and entries.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import Any

import llguidance
import llguidance.hf
import llguidance.torch
import torch
import xgrammar
from transformers import GPT2Config, GPT2LMHeadModel, LogitsProcessor, LogitsProcessorList

from benchmarks.planner_decoding import BATCH, is_plan
from pipeline.planners.causal_lm.bpe import train_tokenizer
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.constraint import PlanConstraint
from pipeline.planners.causal_lm.decoding import PlanDecoder
from pipeline.planners.causal_lm.grammar import END, GRAMMAR, MAX_LAYERS
from pipeline.planners.causal_lm.planner import BEAMS
from pipeline.retrieval.sample_pool import load_known_plans

NUMBER = r"null|[1-9][0-9]{0,5}(\.[0-9]{1,24})?(e-[0-9]{1,2})?|0\.0{0,23}[1-9][0-9]{0,23}"
COUNT = "null|[1-9][0-9]{0,5}"
CHARACTERS = r'([^"\\\x00-\x1f]|\\["\\/bfnrt])'


class XGrammar:
    def __init__(self, tokenizer: Any, outputs: int, pattern: str) -> None:
        info = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=outputs, stop_token_ids=[tokenizer.eos_token_id]
        )
        self._compiled = xgrammar.GrammarCompiler(info).compile_regex(pattern)

    def start(self) -> Any:
        return xgrammar.GrammarMatcher(self._compiled)

    def advanced(self, matcher: Any, token: int) -> Any:
        """The matcher after one more token; None where the token is not allowed."""
        fork = matcher.fork()
        return fork if fork.accept_token(token) else None

    def fill(self, matcher: Any, masks: torch.Tensor, row: int) -> None:
        matcher.fill_next_token_bitmask(masks, row)

    def is_over(self, matcher: Any) -> bool:
        return bool(matcher.is_terminated())


class LLGuidance:
    def __init__(self, tokenizer: Any, outputs: int, pattern: str) -> None:
        grammar = llguidance.LLMatcher.grammar_from_regex(pattern)
        self._first = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer, n_vocab=outputs), grammar)

    def start(self) -> Any:
        return self._first.deep_copy()

    def advanced(self, matcher: Any, token: int) -> Any:
        """The matcher after one more token; None where the token is not allowed."""
        fork = matcher.deep_copy()
        return fork if fork.consume_token(token) else None

    def fill(self, matcher: Any, masks: torch.Tensor, row: int) -> None:
        llguidance.torch.fill_next_token_bitmask(matcher, masks, row)

    def is_over(self, matcher: Any) -> bool:
        return bool(matcher.is_stopped())


def plan_pattern(bounded: bool) -> str:
    """The plan's JSON as one regular expression, which both libraries read."""
    parts = []
    for field in GRAMMAR:
        text = CHARACTERS + (f"{{0,{field.max_tokens}}}" if bounded else "*")
        further = f"{{0,{MAX_LAYERS - 1}}}" if bounded else "*"
        layers = f'("{text}"(, "{text}"){further})?\\]'
        value = {"text": f'{text}"', "layers": layers, "number": f"({NUMBER}),", "count": f"({COUNT}),"}
        parts.append(_escaped(field.lead) + value[field.kind])
    return "".join(parts) + _escaped(END)


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in "{}[]" else character for character in text)


class ForkingProcessor(LogitsProcessor):
    """Keeps a matcher for each prefix that was written; what transformers moves between beams is found again by it."""

    def __init__(self, library: XGrammar | LLGuidance, outputs: int, prompt: int, end: int) -> None:
        self._library, self._outputs, self._prompt, self._end = library, outputs, prompt, end
        self._matchers: dict[tuple[int, ...], Any] = {}

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        prefixes = [tuple(row) for row in input_ids[:, self._prompt :].tolist()]
        matchers = {prefix: self._matcher(prefix) for prefix in prefixes}
        masks = xgrammar.allocate_token_bitmask(len(prefixes), self._outputs)
        for row, prefix in enumerate(prefixes):
            matcher = matchers[prefix]
            if matcher is None or self._library.is_over(matcher):
                masks[row] = 0
                masks[row, self._end // 32] = 1 << (self._end % 32)
            else:
                self._library.fill(matcher, masks, row)
        self._matchers = matchers
        xgrammar.apply_token_bitmask_inplace(scores, masks)
        return scores

    def _matcher(self, prefix: tuple[int, ...]) -> Any:
        if not prefix:
            return self._library.start()
        before = self._matchers.get(prefix[:-1])
        if before is None or self._library.is_over(before):
            return None
        return self._library.advanced(before, prefix[-1])


def generated(
    model: Any, library: XGrammar | LLGuidance, codec: PlanCodec, prompts: Sequence[Sequence[int]]
) -> Iterator[list[int]]:
    for first in range(0, len(prompts), BATCH):
        batch = prompts[first : first + BATCH]
        longest = max(map(len, batch))
        tokens = torch.tensor([[codec.pad] * (longest - len(prompt)) + list(prompt) for prompt in batch])
        attended = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in batch])
        processor = ForkingProcessor(library, model.config.vocab_size, longest, codec.end)
        with torch.inference_mode():
            rows = model.generate(
                input_ids=tokens, attention_mask=attended, num_beams=BEAMS, do_sample=False, pad_token_id=codec.pad,
                eos_token_id=codec.end, max_new_tokens=codec.context - longest,
                logits_processor=LogitsProcessorList([processor]),
            )  # fmt: skip
        for row in rows[:, longest:].tolist():
            yield row[: row.index(codec.end) + 1] if codec.end in row else row


def library_cost(library: XGrammar | LLGuidance, plans: Sequence[Sequence[int]], outputs: int) -> float:
    """Microseconds a token. A plan that exceeds a bound is followed so far."""
    masks = xgrammar.allocate_token_bitmask(1, outputs)
    start, tokens = time.process_time(), 0
    for plan in plans:
        matcher = library.start()
        for token in plan[:-1]:
            library.fill(matcher, masks, 0)
            matcher = library.advanced(matcher, token)
            if matcher is None:
                break
            tokens += 1
    return 1e6 * (time.process_time() - start) / tokens


def own_cost(codec: PlanCodec, plans: Sequence[Sequence[int]], outputs: int) -> float:
    """Microseconds a token."""
    constraint = PlanConstraint(codec, outputs)
    start = time.process_time()
    for plan in plans:
        position = constraint.start(codec.context)
        for token in plan:
            if not position.pending:
                constraint.mask(position)
            position = constraint.advance(position, token)
    return 1e6 * (time.process_time() - start) / sum(map(len, plans))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--spread", type=float, nargs="+", default=[0.02, 2.0])
    parser.add_argument("--bounded", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # CPU time counts what idle threads spin
    known = load_known_plans("starter")
    tokenizer = train_tokenizer([f"{row.requirement}\n{row.plan.to_json()}" for row in known], 2048)
    codec = PlanCodec(tokenizer, arguments.context)
    prompts = [codec.prompt(row.requirement, row.attributes) for row in known[: arguments.rows]]
    prompts.sort(key=len, reverse=True)
    outputs = len(tokenizer)
    examples = [codec.example(row.requirement, row.attributes, row.plan) for row in known[:4]]
    known_plans = [example.tokens[example.plan_start :] for example in examples]
    pattern = plan_pattern(arguments.bounded)
    libraries: dict[str, XGrammar | LLGuidance] = {
        "xgrammar": XGrammar(tokenizer, outputs, pattern),
        "llguidance": LLGuidance(tokenizer, outputs, pattern),
    }
    for spread in arguments.spread:
        torch.manual_seed(0)
        config = GPT2Config(
            vocab_size=outputs, n_positions=arguments.context, n_embd=64, n_layer=2, n_head=2,
            initializer_range=spread, bos_token_id=codec.end, eos_token_id=codec.end,
        )  # fmt: skip
        model: Any = GPT2LMHeadModel(config).eval()
        decoder = PlanDecoder(model, codec, beams=BEAMS)
        print(f"\nspread {spread:g}, {BEAMS} beams, {len(prompts)} rows in batches of {BATCH}, context {codec.context}")
        print(f"{'':12}{'plans/CPU s':>12}{'valid':>8}{'us a token':>12}")
        start = time.process_time()
        plans: list[tuple[int, ...]] = []
        for first in range(0, len(prompts), BATCH):
            plans += decoder.decode(prompts[first : first + BATCH])
        _print_row("ours", codec, plans, time.process_time() - start, own_cost(codec, known_plans, outputs))
        for name, library in libraries.items():
            start = time.process_time()
            written = list(generated(model, library, codec, prompts))
            seconds = time.process_time() - start
            _print_row(name, codec, written, seconds, library_cost(library, known_plans, outputs))


def _print_row(name: str, codec: PlanCodec, plans: Sequence[Sequence[int]], seconds: float, cost: float) -> None:
    valid = sum(is_plan(codec, plan) for plan in plans) / len(plans)
    print(f"{name:12}{len(plans) / seconds:>12.2f}{valid:>8.0%}{cost:>12,.0f}", flush=True)


if __name__ == "__main__":
    main()
