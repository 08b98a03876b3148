"""Convolutions, and the slot that a graph, an operator and a merge are put into."""
