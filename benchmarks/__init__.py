"""Measurements: one command each, `python -m benchmarks.NAME --json`, printing JSON that names its machine."""
