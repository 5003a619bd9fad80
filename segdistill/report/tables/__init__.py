"""Tables: what stands in them and how numbers are written."""
