"""Writing a project from a plan and samples: `symbolic` on syntax trees, `llm` by a language model."""
