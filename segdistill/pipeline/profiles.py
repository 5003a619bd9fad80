"""Switching profiles: params.yaml holds the active profile's name and a copy of its grid."""

import io
from pathlib import Path

from ruamel.yaml import YAML

from segdistill.errors import SuiteError
from segdistill.pipeline.recorded import recorded_profiles, switch_stages
from segdistill.pipeline.rwlock import drop_torn_rwlock
from segdistill.records import write_bytes
from segdistill.settings.loading import PARAMS, read_params, read_profile
from segdistill.settings.names import profile_name


def use_profile(name: str, params: Path = PARAMS, *, reset: bool = False) -> list[str]:
    """Make `name` the active profile; comments and other keys of params.yaml stay.

    dvc.lock then holds what was recorded of `name`. If it is the active one already, by
    params.yaml and dvc.lock, its lists stay too unless `reset`; returned are those that differ
    from the profile's grid. Raises SuiteError if there is no such profile, or if DVC could
    not find a method's block.
    """
    grid = read_profile(profile_name(name)).grid
    for method in grid.methods:
        if "." in method:  # DVC takes `methods.kd0.1` for key `1` of `kd0`
            raise SuiteError(
                f"profile {name}: method {method}: DVC reads no dot in a name; write _"
            )
    active = read_params(params).profile == name and recorded_profiles() <= {name}
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(params.read_text(encoding="utf-8"))
    document["profile"] = name
    lists = grid.model_dump(mode="json")
    for key in () if active and not reset else lists:
        document[key].clear()
        document[key].extend(lists[key])
    buffer = io.StringIO()
    yaml.dump(document, buffer)
    switch_stages(name)
    drop_torn_rwlock()
    write_bytes(params.resolve(), buffer.getvalue().encode())  # a link to it stays one
    return [key for key, values in lists.items() if document[key] != values]
