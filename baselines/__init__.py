"""The comparators: one file a method; file name = method name = params key = results folder."""
