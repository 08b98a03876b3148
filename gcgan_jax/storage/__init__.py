"""The files of a run; this package does not depend on the GAN or its config."""
