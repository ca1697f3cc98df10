"""One row's questions: prompts that fit the context, cut-off replies continued, programs read out of replies."""
