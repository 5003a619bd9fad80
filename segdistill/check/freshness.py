"""Would the run come out the same today: by recipe, code, data and teacher of this checkout?"""

from collections.abc import Iterator

from segdistill.check.differences import differences
from segdistill.check.published import Published
from segdistill.errors import SuiteError
from segdistill.pipeline.cells import plan


def obstacle(published: Published) -> str | None:
    """Why a run cannot be compared with this checkout, or None."""
    cell = published.cell
    if published.folder.resolve() != cell.run_dir.resolve():
        return "lies outside the project's results/"
    return None if cell.manifest.is_file() else f"{cell.manifest} is not here"


def staleness(published: Published) -> Iterator[str]:
    """What of a run's recipe, code, data and teacher is not that of this checkout."""
    run, file = published.run, published.folder / "run.json"
    try:
        now = plan(published.cell)
    except SuiteError as error:
        yield f"{published.folder}: cannot be made again: {error}"
        return
    if recipe := [*differences(run.config, now.config.as_dict())]:
        yield f"{file}: recipe: {'; '.join(recipe)}"
    for what, recorded, found in (
        ("code_digest", run.code_digest, now.code),
        ("manifest_sha256", run.manifest_sha256, now.data),
        ("teacher_sha256", run.teacher_sha256, now.teacher),
        ("pretrained_sha256", run.pretrained_sha256, now.pretrained),
    ):
        if recorded != found:
            yield f"{file}: {what} is not that of this checkout, {found}"
