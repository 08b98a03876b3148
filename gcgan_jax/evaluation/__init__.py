"""Scores of images, the networks that extract their features, and diagnostics of training."""
