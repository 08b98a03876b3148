"""Scores of images, and the networks that extract their features."""
