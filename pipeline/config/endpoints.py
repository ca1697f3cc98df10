"""Common servers and APIs by name: `llm=deepseek model=deepseek-chat` says where it is and which variable has the key.

An entry says where its provider describes the endpoint, and when the entry was written; the addresses were not called
from here, but for vLLM's own server. What a server refuses is found out from its refusal all the same
(`pipeline.llm.client.dialect`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Prefill = Literal["auto", "continue_final_message", "prefix", "last_message", "none"]
"""How a server is asked to go on with a reply that was cut off: by vLLM's parameter, by Mistral's mark on the message,
by a conversation that ends with the assistant's message, or (none) by the user's words. `auto` asks which server it
is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A server or an API that speaks OpenAI's chat completions."""

    base_url: str
    """Its address, up to and with the version."""

    api_key_env: str = ""
    """The variable that its own documentation names for the key; "" where a server of one's own wants none."""

    temperature: float | None = None
    """What its provider advises for code; None where it advises nothing."""

    prefill: Prefill = "auto"
    """How it goes on with a reply."""

    reference: str
    """Where its chat completions are described, and when this was written."""


ENDPOINTS: dict[str, Endpoint] = {
    "deepseek": Endpoint(
        base_url="https://api.deepseek.com/v1",
        api_key_env="DEEPSEEK_API_KEY",
        temperature=0.0,  # "Coding / Math 0.0" (quick_start/parameter_settings)
        prefill="none",  # its `prefix` is at another address (/beta)
        reference="https://api-docs.deepseek.com/api/create-chat-completion (2026-11-30)",
    ),
    "openrouter": Endpoint(
        base_url="https://openrouter.ai/api/v1",
        api_key_env="OPENROUTER_API_KEY",
        reference="https://openrouter.ai/docs/api-reference/chat-completion (2026-11-30)",
    ),
    "mistral": Endpoint(
        base_url="https://api.mistral.ai/v1",
        api_key_env="MISTRAL_API_KEY",
        prefill="prefix",
        reference="https://docs.mistral.ai/api/#tag/chat (2026-11-30)",
    ),
    "gemini": Endpoint(
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        api_key_env="GEMINI_API_KEY",
        temperature=1.0,  # lower ones make its newer models loop
        prefill="none",
        reference="https://ai.google.dev/gemini-api/docs/openai (2026-11-30)",
    ),
    "anthropic": Endpoint(
        base_url="https://api.anthropic.com/v1",
        api_key_env="ANTHROPIC_API_KEY",
        prefill="none",
        reference="https://docs.claude.com/en/api/openai-sdk (2026-11-30)",
    ),
    "groq": Endpoint(
        base_url="https://api.groq.com/openai/v1",
        api_key_env="GROQ_API_KEY",
        prefill="none",
        reference="https://console.groq.com/docs/openai (2026-11-30)",
    ),
    "together": Endpoint(
        base_url="https://api.together.xyz/v1",
        api_key_env="TOGETHER_API_KEY",
        reference="https://docs.together.ai/reference/chat-completions-1 (2026-11-30)",
    ),
    "fireworks": Endpoint(
        base_url="https://api.fireworks.ai/inference/v1",
        api_key_env="FIREWORKS_API_KEY",
        reference="https://docs.fireworks.ai/api-reference/post-chatcompletions (2026-11-30)",
    ),
    "huggingface": Endpoint(
        base_url="https://router.huggingface.co/v1",
        api_key_env="HF_TOKEN",
        reference="https://huggingface.co/docs/inference-providers/tasks/chat-completion (2026-11-30)",
    ),
    "vllm-server": Endpoint(
        base_url="http://127.0.0.1:8000/v1",
        prefill="continue_final_message",
        reference="https://docs.vllm.ai/en/stable/serving/openai_compatible_server (2026-11-30; run: vLLM 0.29)",
    ),
    "sglang": Endpoint(
        base_url="http://127.0.0.1:30000/v1",
        prefill="continue_final_message",
        reference="https://docs.sglang.ai/basic_usage/openai_api_completions.html (2026-11-30)",
    ),
    "llama-cpp": Endpoint(
        base_url="http://127.0.0.1:8080/v1",
        prefill="last_message",
        reference="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (2026-11-30)",
    ),
    "ollama": Endpoint(
        base_url="http://127.0.0.1:11434/v1",
        prefill="last_message",
        reference="https://docs.ollama.com/api/openai-compatibility (2026-11-30)",
    ),
    "lm-studio": Endpoint(
        base_url="http://127.0.0.1:1234/v1",
        reference="https://lmstudio.ai/docs/developer/openai-compat (2026-11-30)",
    ),
    "tgi": Endpoint(
        base_url="http://127.0.0.1:3000/v1",
        prefill="none",
        reference="https://huggingface.co/docs/text-generation-inference/reference/api_reference (2026-11-30)",
    ),
}
"""By the name that `llm=` takes."""
