"""Which code decides a result, as one hash."""
