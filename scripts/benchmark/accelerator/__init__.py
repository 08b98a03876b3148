"""Everything that is measured on an accelerator; see `__main__.py`."""
