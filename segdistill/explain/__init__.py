"""Everything a finished run says about itself, as plain text or as a page."""

from segdistill.explain.reading import Curve, Explanation, explain, read_curves
from segdistill.explain.sections import Section, sections, text_lines

__all__ = ["Curve", "Explanation", "Section", "explain", "read_curves", "sections", "text_lines"]
