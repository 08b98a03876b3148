"""Scripts beside the package, one folder or file per question."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
