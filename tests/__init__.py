"""The tests: one file for each module, and the references they compare with."""
