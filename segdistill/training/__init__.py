"""All that decides the bits of a training."""
