"""The training algorithm: pure functions without I/O, usable on their own."""
