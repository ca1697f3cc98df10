"""Tasks from the files that people bring: the text files of 2024, the CSV of 2025, harness JSON, and our own YAML.

`read_tasks` takes any of them, or a folder of them; each format's module knows its fields, `values` what they mean.
"""
