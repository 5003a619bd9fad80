"""What losses, training steps, loader and metrics cost; `pytest benchmarks --benchmark-only`."""
