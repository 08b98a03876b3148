"""Files of a run; nothing here knows of the GAN or its config."""
