"""A look inside PCD (reconstructed from the abstract): which channels it keeps and matches."""
