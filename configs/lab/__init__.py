"""The laboratory: a part, a loss, a backbone or a data set each, in the quickstart's network."""
