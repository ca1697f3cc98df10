"""What is asked for beside the model, added to a finished Keras script in small parts."""
