"""The algorithm: pure functions without input and output, usable alone."""
