"""Writing with a language model: prompts within the context, replies read, and the steps of each method."""
