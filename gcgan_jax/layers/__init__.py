"""Layers: convolutions, and the graph layer that joins a graph, an operator and a merge."""
