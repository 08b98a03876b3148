"""One file for each --mode but train."""
