"""What can be checked of a profile without its data, its weights or its machine."""
