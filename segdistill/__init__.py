"""Everything a run needs that is not a method: data, networks, training, metrics, reports."""
