"""Growth, training and cost of lightweight ECC."""
