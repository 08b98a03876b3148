"""The typed settings of a run, and how they are read."""
