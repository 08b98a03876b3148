"""Cost of the parts of a graph layer: `python -m scripts.benchmark.layers`."""
