"""The prompts, a Jinja file a call; `pipeline.llm.asking.prompt_files` loads them."""
