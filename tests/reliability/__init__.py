"""Fault injection, invalid input and a soak test of the program."""
