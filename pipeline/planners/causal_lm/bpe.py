"""A tokenizer of its own for a model that starts from nothing: byte-level BPE, as GPT-2's (Radford et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

END_TOKEN = "<|endoftext|>"


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """A transformers tokenizer with at most `vocabulary` tokens, learned from the texts; the same for equal texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_TOKEN],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped: Any = PreTrainedTokenizerFast
    return wrapped(tokenizer_object=tokenizer, eos_token=END_TOKEN, bos_token=END_TOKEN)
