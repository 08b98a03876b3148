"""What is read over several runs."""
