"""Whether this machine can run a profile, and how to mend what is missing."""

from segdistill.diagnosis.finding import Finding
from segdistill.diagnosis.report import examine, report_lines

__all__ = ["Finding", "examine", "report_lines"]
