"""What a prefix cache serves, by blocks; and that the method's prompts are written for one."""

from __future__ import annotations

import pytest

from pipeline.llm.prefix_share import BLOCK, ServedPrompt, served_prompts, share
from pipeline.llm.protocol import ChatRequest, Message


def asked(*texts: str) -> list[ChatRequest]:
    return [ChatRequest(messages=(Message(role="user", content=text),)) for text in texts]


def words(text: str) -> list[str]:
    return text.split()


def test_whole_blocks_are_served_up_to_the_first_that_differs() -> None:
    shared = "a " * (2 * BLOCK)
    first, second, third = served_prompts(asked(shared + "b " * BLOCK, shared + "c " * BLOCK, "z " + shared), words)
    assert first == ServedPrompt(3 * BLOCK + 1, 0)  # the role is a word, too
    assert second == ServedPrompt(3 * BLOCK + 1, 2 * BLOCK)
    assert third.served == 0, "what stands elsewhere is no prefix"
    assert share([first, second]) == 2 * BLOCK / (6 * BLOCK + 2)
    assert share([]) == 0.0


def test_without_a_tokenizer_a_token_has_three_and_a_half_characters() -> None:
    (found,) = served_prompts(asked("x" * 3500))
    assert found.tokens == pytest.approx(1000, abs=5)
