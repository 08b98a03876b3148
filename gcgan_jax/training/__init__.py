"""The process around the algorithm: loop, recorder, diagnostics."""
