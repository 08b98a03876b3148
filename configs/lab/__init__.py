"""The laboratory: one part or data set each, in the quickstart's network."""
