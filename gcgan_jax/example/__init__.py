"""A small trained generator; see card.md, and `gcgan_jax.load_example`."""
