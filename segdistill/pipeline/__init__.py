"""Cells, their fingerprints and folders, and how they come to be trained and published."""
