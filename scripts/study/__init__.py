"""The study of when a graph helps: a list of runs, and a harness for those that are missing."""
