"""What the program does with a trained generator, a file for each --mode."""
