"""Whether this machine can run a profile, and how to mend what is missing."""

from harness.diagnosis.report import examine, report_lines
from harness.diagnosis.finding import Finding

__all__ = ["Finding", "examine", "report_lines"]
