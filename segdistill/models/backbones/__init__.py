"""One file a backbone: `build(recipe, norm)` gives it and the widths of its four stages."""
