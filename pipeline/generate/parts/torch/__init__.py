"""What is asked for beside the model, added to finished PyTorch scripts: as `pipeline.generate.parts` for Keras'."""
