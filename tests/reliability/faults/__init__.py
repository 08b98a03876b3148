"""What may befall a run; each fault is tried on real runs of the program, see fault_drill.py."""
