"""Commands beside the package, a folder for each question."""
