"""Plots, one file a kind."""
