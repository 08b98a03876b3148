"""The laboratory: a part, a loss or a data set each, in the quickstart's network."""
