"""Scores of images, and the networks that see the features they are computed from."""
