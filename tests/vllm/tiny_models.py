"""Tiny checkpoints of the real architectures, with random weights, a tokenizer and a chat template.

What they say is noise, but they load, sample, and obey a schema as the real ones do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DeepseekV2Config,
    DeepseekV2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

SAMPLES = Path(__file__).resolve().parents[2] / "pipeline" / "starter" / "samples" / "starter40"
CONTEXT = 4096

# deepseek-coder's form: a system line, then instructions and responses under headings.
CHAT_TEMPLATE = """\
{{ bos_token }}{% for message in messages %}\
{% if message['role'] == 'system' %}{{ message['content'] }}
{% elif message['role'] == 'user' %}### Instruction:
{{ message['content'] }}
{% else %}### Response:
{{ message['content'] }}{{ eos_token }}
{% endif %}{% endfor %}{% if add_generation_prompt %}### Response:
{% endif %}"""


def llama(folder: Path, *, hidden: int = 64, layers: int = 2, heads: int = 2, vocabulary: int = 1024) -> Path:
    """A Llama, as deepseek-coder is one, under `folder`; twice as long a context, since its plans may be long."""
    tokenizer = _tokenizer(vocabulary)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=hidden * 8 // 3 // 32 * 32,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        max_position_embeddings=2 * CONTEXT,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=True,
    )
    return _save(LlamaForCausalLM, config, tokenizer, folder)


def deepseek_v2(folder: Path) -> Path:
    """A DeepSeek-V2 with latent attention and experts, under `folder`: the attention in its real sizes, which vLLM's
    kernels ask for, all else tiny."""
    tokenizer = _tokenizer(1024)
    config = DeepseekV2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        moe_intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        n_routed_experts=4,
        num_experts_per_tok=2,
        n_shared_experts=1,
        first_k_dense_replace=1,
        topk_method="greedy",
        n_group=1,
        topk_group=1,
        kv_lora_rank=512,
        q_lora_rank=None,
        qk_rope_head_dim=64,
        qk_nope_head_dim=128,
        v_head_dim=128,
        max_position_embeddings=CONTEXT,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return _save(DeepseekV2ForCausalLM, config, tokenizer, folder)


PROGRAM = "from tensorflow import keras; model = Sequential()"


def teach(folder: Path, reply: str = PROGRAM, *, steps: int = 200) -> Path:
    """Trains a checkpoint to give one reply to whatever it is asked, so that a whole pipeline can be seen to work. A
    reply in which no token comes twice is learnt within seconds: each token then tells the next. Attention is switched
    off for it, so that neither the length of a prompt nor the CPU's arithmetic can make the model slip."""
    torch.manual_seed(0)
    chooser = random.Random(0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for layer in model.model.layers:
        torch.nn.init.zeros_(layer.self_attn.o_proj.weight).requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    text = [token for sample in _texts() for token in tokenizer(sample)["input_ids"]]
    start = tokenizer("### Response:\n")["input_ids"]
    answer = [*tokenizer(reply)["input_ids"], tokenizer.eos_token_id]
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, steps)
    for _ in range(steps):
        begin = chooser.randrange(len(text) - 200)
        prompt = [*text[begin : begin + chooser.randrange(200)], *start]
        labels = torch.tensor([[*[-100] * len(prompt), *answer]])
        model(input_ids=torch.tensor([[*prompt, *answer]]), labels=labels).loss.backward()
        optimizer.step()
        slower.step()
        optimizer.zero_grad()
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def _tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer, trained on the starter samples: it can spell everything."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
    )


def _texts() -> Iterator[str]:
    for path in sorted(SAMPLES.glob("*.py"))[:12]:
        yield path.read_text(encoding="utf-8")


def _save(kind: type[PreTrainedModel], config: object, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    torch.manual_seed(0)
    model = kind(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
