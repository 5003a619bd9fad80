"""Datasets: readers, drawn scenes, manifests and the training stream."""
