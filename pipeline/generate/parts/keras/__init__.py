"""Parts of Keras scripts that have a module of their own; `pipeline.generate.parts` says what a part is."""
