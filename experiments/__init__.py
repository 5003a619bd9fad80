"""The thin stages that dvc.yaml calls."""
