"""The laboratory: one part each, in the quickstart's network and on its images."""
