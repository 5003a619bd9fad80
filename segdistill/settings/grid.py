"""Which cells a profile has: the active one by params.yaml, any other by its own file."""

from segdistill.settings.loading import read_params, read_profile
from segdistill.settings.names import profile_name
from segdistill.settings.schema import Params


def grid_of(profile: str | None = None) -> Params:
    """The grid of `profile` (None: the active one) with the statistics of params.yaml.

    Raises SuiteError if params.yaml or the profile cannot be read.
    """
    params = read_params()
    if profile is None or profile == params.profile:
        return params
    grid = read_profile(profile_name(profile)).grid
    return Params(profile=profile, statistics=params.statistics, **grid.model_dump())
