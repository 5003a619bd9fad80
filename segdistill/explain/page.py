"""A run's story as one HTML file that needs nothing else, its curves as inline SVG."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from segdistill.errors import SuiteError
from segdistill.explain.reading import GRADIENT, Curve, Explanation
from segdistill.explain.sections import GRADIENTS, LOSSES, PREDICTIONS, sections

WIDTH, HEIGHT = 320, 120  # of a curve, in SVG units
DIGITS = 4
Point = tuple[float, float]

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ name }}</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1f24; background: #fff; }
h1 { overflow-wrap: anywhere; }
table { border-collapse: collapse; margin-bottom: 1.5rem; display: block; overflow-x: auto; }
td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top; }
td { overflow-wrap: anywhere; }
.numbers td, .numbers th + th { text-align: right; font-variant-numeric: tabular-nums; }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; max-width: {{ width }}px; }
img { width: {{ width }}px; max-width: 100%; image-rendering: pixelated; }
svg { width: {{ width }}px; max-width: 100%; border: 1px solid #8c959f; }
polyline { fill: none; stroke: #0550ae; stroke-width: 1.5; }
circle { fill: #0550ae; }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; }
  polyline { stroke: #79c0ff; }
  circle { fill: #79c0ff; }
}
</style>
</head>
<body>
<h1>{{ name }}</h1>
{% for section in sections %}
<h2>{{ section.title }}</h2>
{% if section.title in curves %}
<div class="curves">
{% for drawn in curves[section.title] %}
<figure>
<figcaption>{{ drawn.label }}</figcaption>
<svg viewBox="0 0 {{ width }} {{ height }}" role="img" aria-label="{{ drawn.label }}">
<title>{{ drawn.label }}</title>
{% for piece in drawn.pieces %}
{% if piece | length > 1 %}
<polyline points="{% for x, y in piece %}{{ x }},{{ y }} {% endfor %}"/>
{% else %}
<circle cx="{{ piece[0][0] }}" cy="{{ piece[0][1] }}" r="2"/>
{% endif %}
{% endfor %}
</svg>
</figure>
{% endfor %}
</div>
{% endif %}
{% if section.title == pictured %}
<div class="curves">
{% for name, source in pictures.items() %}
<figure>
<figcaption>{{ name }}</figcaption>
<img src="{{ source }}" alt="label map of {{ name }}">
</figure>
{% endfor %}
</div>
{% endif %}
<table{% if section.header %} class="numbers"{% endif %}>
{% if section.header %}
<tr>{% for cell in section.header %}<th scope="col">{{ cell }}</th>{% endfor %}</tr>
{% endif %}
{% for row in section.rows %}
<tr><th scope="row">{{ row[0] }}</th>{% for cell in row[1:] %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</table>
{% endfor %}
</body>
</html>
"""


@dataclass(frozen=True)
class Drawn:
    """A curve in SVG coordinates, in several pieces where values are no numbers."""

    curve: Curve
    label: str
    pieces: tuple[tuple[Point, ...], ...]


def render(told: Explanation) -> str:
    """The page; every string is escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(PAGE).render(
        name=told.name,
        sections=sections(told),
        curves={
            title: [draw(curve) for curve in told.curves if curve.of_gradient == of_gradient]
            for title, of_gradient in ((LOSSES, False), (GRADIENTS, True))
        },
        pictured=PREDICTIONS,
        pictures={path.stem: _embed(path) for path in told.pictures},
        width=WIDTH,
        height=HEIGHT,
    )


def draw(curve: Curve) -> Drawn:
    """`curve` scaled so that its finite values fill the picture."""
    finite = [value for value in curve.values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    first, last = curve.steps[0], curve.steps[-1]
    pieces: list[list[Point]] = [[]]
    for step, value in zip(curve.steps, curve.values, strict=True):
        if math.isfinite(value):
            x = WIDTH * _share(step, first, last)
            y = HEIGHT * (1 - _share(value, low, high))
            pieces[-1].append((round(x, 1), round(y, 1)))
        elif pieces[-1]:
            pieces.append([])
    return Drawn(curve, _label(curve, (low, high)), tuple(tuple(p) for p in pieces if p))


def _embed(picture: Path) -> str:
    try:
        return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode('ascii')}"
    except OSError as error:
        raise SuiteError(f"{picture}: cannot read ({error.strerror})") from error


def _share(value: float, low: float, high: float) -> float:
    """Where `value` lies between the ends, 0..1; the middle if they are one."""
    return (value - low) / (high - low) if high > low else 0.5


def _label(curve: Curve, ends: Sequence[float]) -> str:
    low, high = (f"{end:.{DIGITS}g}" for end in ends)
    name = curve.name.removeprefix(GRADIENT)
    return f"{name}: {low} to {high}, steps {curve.steps[0]} to {curve.steps[-1]}"
