"""What the finished cells of a profile add up to: tables, plots, pictures and one page."""
