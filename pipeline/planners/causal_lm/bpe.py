"""Byte-level BPE, GPT-2's kind of tokenizer (Radford et al., 2019): training one, and what its
tokens spell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.errors import DLCodeGenError

END_TOKEN = "<|endoftext|>"


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """A transformers tokenizer with at most `vocabulary` tokens, learned from the texts; the same
    for equal texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_TOKEN],
        # All 256 bytes get a token, so that any text can be spelled; sorted, since the alphabet comes as a set.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped: Any = PreTrainedTokenizerFast
    return wrapped(tokenizer_object=tokenizer, eos_token=END_TOKEN, bos_token=END_TOKEN)


def token_bytes(tokenizer: Any, name: str) -> list[bytes | None]:
    """The bytes that each token spells; None for special tokens.

    Raises DLCodeGenError, with the tokenizer's name, where a byte has no token of its own.
    """
    byte_of = {character: byte for byte, character in _byte_characters().items()}
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    special = set(tokenizer.get_added_vocab().values())
    pieces: list[bytes | None] = [None] * (max(vocabulary.values(), default=-1) + 1)
    single_bytes = set()
    for text, token in vocabulary.items():
        if token in special or not byte_of.keys() >= set(text):
            continue
        piece = bytes([byte_of[character] for character in text])
        pieces[token] = piece
        if len(piece) == 1:
            single_bytes.add(piece)
    missing = 256 - len(single_bytes)
    if missing:
        raise DLCodeGenError(f"{name}: not a byte-level BPE like GPT-2's; {missing} of the 256 bytes have no token")
    return pieces


def _byte_characters() -> dict[int, str]:
    """The printable character that GPT-2's vocabulary writes for each byte (Radford et al., 2019)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = {byte: chr(byte) for byte in printable}
    for index, byte in enumerate(others):
        characters[byte] = chr(256 + index)
    return characters
