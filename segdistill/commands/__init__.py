"""The commands of `segdistill`, one light module each."""
