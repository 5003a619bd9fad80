"""Would the run come out the same today: by recipe, code, data and teacher of this checkout?"""

from segdistill.check.published import Published
from segdistill.errors import SuiteError
from segdistill.pipeline.cells import manifest_path, plan_recorded, run_folder
from segdistill.pipeline.states import changes


def obstacle(cell: Published) -> str | None:
    """Why a run cannot be compared with this checkout, or None."""
    run = cell.run
    manifest = manifest_path(run.dataset)
    if (
        cell.folder.resolve()
        != run_folder(run.profile, run.dataset, run.method, run.seed).resolve()
    ):
        return "lies outside the project's results/"
    return None if manifest.is_file() else f"{manifest} is not here"


def staleness(cell: Published) -> str | None:
    """What of a run's recipe, code, data and teacher has changed since, or None."""
    try:
        planned = plan_recorded(cell.run)
    except SuiteError as error:
        return f"{cell.folder}: cannot be made again: {error}"
    if planned.fingerprint == cell.run.fingerprint:
        return None
    return f"{cell.folder}/run.json: changed since: {changes(cell.run, planned)}"
