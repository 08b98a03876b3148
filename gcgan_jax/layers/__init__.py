"""Convolutions and graph convolutions: pure functions, and Modules that add their parameters."""
