"""Settings: their schema, and from files to one validated cell."""
