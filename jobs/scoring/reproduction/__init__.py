"""The paper's tables from its released outputs."""
