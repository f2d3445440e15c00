"""The scenarios live beside the other measurements, in `benchmarks/`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
