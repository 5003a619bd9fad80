"""What the finished cells of an experiment add up to: tables, plots, pictures and one page."""
