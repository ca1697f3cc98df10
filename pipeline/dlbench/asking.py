"""What a model is asked for a task: a candidate, and a suite of tests."""

from __future__ import annotations

from pipeline.dlbench.task import FunctionTask
from pipeline.llm.protocol import ChatRequest, Message, Sampling

_CANDIDATE = """\
{prompt}

Answer with one Python code block that holds the complete {what}, with the imports and helpers that it needs and nothing
else: no example, no explanation.
"""

# The words at the end are CodeT's (Chen et al., 2022): a model goes on behind `assert `.
_TESTS = """\
{prompt}

    pass

# check the correctness of {name}
assert """


def candidate_request(task: FunctionTask, prompt: str, name: str, sampling: Sampling) -> ChatRequest:
    """Asks for a candidate. `prompt` is the task's, or a variant of it, in which the target is called `name`."""
    what = f"method `{name}` of the class `{task.class_name}`" if task.class_name else f"function `{name}`"
    text = _CANDIDATE.format(prompt=prompt.rstrip(), what=what)
    return ChatRequest(messages=(Message(role="user", content=text),), sampling=sampling)


def tests_request(prompt: str, name: str, sampling: Sampling) -> ChatRequest:
    """Asks for a suite: assertions, of which the first five are taken."""
    text = _TESTS.format(prompt=prompt.rstrip(), name=name)
    return ChatRequest(messages=(Message(role="user", content=text),), sampling=sampling)


def rewrite_request(prompt: str, operator: str, sampling: Sampling) -> ChatRequest:
    """Asks for a prompt's variant."""
    text = (
        f"Rewrite the programming task below. {_OPERATORS[operator]} Change nothing else: keep every code span, "
        "signature, formula, number, name, quotation and list point exactly as it is, and do not solve the task. "
        f"Answer with the rewritten task alone.\n\n{prompt}"
    )
    return ChatRequest(messages=(Message(role="user", content=text),), sampling=sampling)


_OPERATORS = {
    "similar verb": "Replace verbs by verbs of the same meaning.",
    "upper case": "Write its prose in upper case.",
    "rephrased": "Say each sentence in other words of the same meaning.",
    "passive": "Put its sentences into the passive voice.",
    "question": "Turn its instructions into questions.",
}
