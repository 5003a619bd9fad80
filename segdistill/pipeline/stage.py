"""What every stage does first when DVC runs it."""

from segdistill.following import follow_dvc
from segdistill.pipeline.recorded import keep_stages


def begin_stage() -> None:
    """End with the dvc that started it, and keep what it had recorded by now."""
    follow_dvc()
    keep_stages()
