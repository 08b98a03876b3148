"""Configs of the laboratory: data and parts that show when a non-local layer helps."""
