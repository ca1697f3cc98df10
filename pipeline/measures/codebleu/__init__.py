"""CodeBLEU and what has to stand beside it: the paper's text form, length control,
baselines without a model."""
