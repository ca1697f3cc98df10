"""Writing without a language model: samples as notebooks, adapted to the plan, abstracted into templates, compared."""
