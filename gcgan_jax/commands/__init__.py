"""Everything that --mode does but train, one module each; `trained` loads their generator."""
