"""Fault injection, invalid inputs and a soak test of the program."""
