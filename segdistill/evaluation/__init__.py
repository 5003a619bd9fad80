"""Metrics, every one a function of per-image integer areas."""
