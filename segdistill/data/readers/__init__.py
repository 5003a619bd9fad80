"""One file a data set: what is fixed about it, and how its files lie on disk.

`segdistill.data.catalogue` finds them by name: a new data set is a new file with INFO and LAYOUT.
"""
