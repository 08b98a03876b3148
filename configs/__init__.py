"""Configurations: `default` holds every field, the others override a few."""
