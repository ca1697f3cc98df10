"""The OpenAI API: projects as replies of the model `dlcodegen`, and the code model under its own name."""
