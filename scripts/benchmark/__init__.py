"""Speed compared with PyTorch, scaling, FLOPs, precision, AOT compilation, and accelerators."""
