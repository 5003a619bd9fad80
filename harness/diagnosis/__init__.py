"""Whether this machine can run a profile, and how to mend what is missing."""

from harness.diagnosis.finding import Finding
from harness.diagnosis.report import examine, report_lines

__all__ = ["Finding", "examine", "report_lines"]
