"""Faults for fault_injection.py, each injected into real runs of the program."""
