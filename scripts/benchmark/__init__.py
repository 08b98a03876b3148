"""Speed compared with PyTorch, scaling, FLOPs, precision, and AOT compilation."""
