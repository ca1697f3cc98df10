"""How a project is worked on: the batch job's stages in processes of their own, and the events they become."""
