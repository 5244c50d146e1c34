"""Suites, prices and the bundled checkpoint, read through importlib.resources; no code."""
