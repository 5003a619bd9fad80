"""PCD (reconstructed from the abstract): Prune Channel and Distill, Lee et al., ICIP 2024."""

from pcd.method import PCD

__all__ = ["PCD"]
