"""The typed config of a run, and how it is parsed."""
