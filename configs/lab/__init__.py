"""The laboratory: a part or a data set each, in the quickstart's network."""
