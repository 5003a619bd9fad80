"""The commands of `python -m harness`, one light module each."""
