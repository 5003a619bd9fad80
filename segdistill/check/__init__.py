"""Is a published folder what it says it is: by its records, by scoring, by training again."""
