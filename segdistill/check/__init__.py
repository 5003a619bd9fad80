"""Proofs by experiment: kill trainings, verify results, repeat them."""
