"""One file a decoder: `build(recipe, widths, shared)` gives the decode head."""
