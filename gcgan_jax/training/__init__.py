"""The training loop, what it records and prints, and its checks for NaN and infinity."""
