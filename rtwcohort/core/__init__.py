"""Argument checks, day arithmetic, Wald tests and frame conversion shared by every part."""
