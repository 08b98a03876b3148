"""How fast is it, next to PyTorch, and what does it compile to?"""
