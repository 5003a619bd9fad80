"""Checking a folder results/PROFILE that anyone made, before anyone believes its numbers."""

from harness.submission.check import Verdict, check_submission

__all__ = ["Verdict", "check_submission"]
