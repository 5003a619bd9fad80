"""From an official download, or what was downloaded by hand, to a verified dataset."""

from segdistill.data.download.install import default_root, obtain

__all__ = ["default_root", "obtain"]
