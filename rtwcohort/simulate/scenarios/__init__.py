"""Scenarios: declared in TOML files, read and checked."""
