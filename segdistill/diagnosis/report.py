"""All findings, and how they are printed."""

from collections.abc import Iterator, Sequence

from segdistill.diagnosis.finding import Finding
from segdistill.diagnosis.inputs import input_findings
from segdistill.diagnosis.machine import machine_findings
from segdistill.diagnosis.outputs import output_findings
from segdistill.diagnosis.software import software_findings
from segdistill.errors import SuiteError
from segdistill.settings.grid import grid_of
from segdistill.settings.loading import read_profile


def examine(profile: str | None) -> Iterator[Finding]:
    """Everything the profile (None: the active one) needs here."""
    yield from software_findings()
    yield from machine_findings()
    try:
        grid = grid_of(profile)
        recipes = read_profile(grid.profile)
    except SuiteError as error:
        yield Finding("profile", "missing", str(error), "mend the file, or segdistill use PROFILE")
        return
    yield Finding("profile", "ok", f"{grid.profile}: {recipes.about}")
    yield from input_findings(grid, recipes)
    yield from output_findings(grid.profile)


def report_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """A line a finding with its mend below, then whether the profile can run."""
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        yield f"{finding.health:7}  {finding.subject:{width}}  {finding.found}"
        if finding.mend:
            yield f"{'':7}  {'':{width}}  mend: {finding.mend}"
    missing = [finding.subject for finding in findings if finding.health == "missing"]
    yield f"cannot run: {', '.join(missing)}" if missing else "ready to run"
