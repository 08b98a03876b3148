"""Commands beside the package: benchmarks. No library code."""
