"""Furniture, vessels and other things of the drawn scenes; one unit is about their height."""

from segdistill.data.scenes_canvas import Dice, Pen, Surface
from segdistill.data.scenes_colours import likely
from segdistill.data.scenes_surfaces import blotched, fading, grid, panes, plain, shaded


def wood(dice: Dice, thing: str) -> Surface:
    """Wood or lacquer."""
    return plain(likely(dice, thing), 8)


def cloth(dice: Dice, thing: str) -> Surface:
    """Upholstery."""
    return blotched(likely(dice, thing), 10, 3)


def aeroplane(pen: Pen) -> None:
    """A plane seen from the side: tube, swept wing, tail fin."""
    dice = pen.canvas.dice
    body = likely(dice, "aeroplane")
    hull, edge = fading(body, shaded(body)), plain(likely(dice, "aeroplane"))
    pen.polygon([(-1.2, 0.5), (-1.5, 1.0), (-1.2, 1.0), (-0.8, 0.6)], edge)
    pen.disc(0.0, 0.5, 1.3, 0.17, hull)
    pen.polygon([(0.2, 0.5), (-0.6, 0.05), (-0.85, 0.08), (-0.25, 0.52)], edge)
    pen.polygon([(0.1, 0.62), (-0.35, 0.95), (-0.5, 0.93), (-0.2, 0.62)], edge)
    cell = max(2, round(0.16 * pen.scale))
    pen.box(-0.8, 0.52, 1.7, 0.08, panes(body, (40, 45, 60), (4 * cell, cell)))


def boat(pen: Pen) -> None:
    """A boat: hull, mast, one or two sails."""
    dice = pen.canvas.dice
    pen.polygon([(-0.75, 0.3), (-0.55, 0.0), (0.5, 0.0), (0.85, 0.35)], plain(likely(dice, "boat")))
    pen.bar((0.0, 0.3), (0.0, 1.4), 0.04, wood(dice, "table"))
    sail = fading(dice.colour(150, 225, 20), dice.colour(120, 190, 20))
    if dice.chance(0.7):
        pen.polygon([(0.06, 0.42), (0.06, 1.35), (0.65, 0.45)], sail)
        pen.polygon([(-0.06, 0.42), (-0.06, 1.2), (-0.5, 0.42)], sail)
    else:
        pen.box(-0.35, 0.3, 0.6, 0.32, panes(dice.colour(120, 220, 20), (40, 50, 70), (8, 4)))


def bottle(pen: Pen) -> None:
    """A bottle: body, shoulders, neck, cap, label."""
    dice = pen.canvas.dice
    shade = likely(dice, "bottle")
    pen.polygon(
        [(-0.16, 0.0), (-0.16, 0.58), (-0.06, 0.75), (-0.06, 0.95), (0.06, 0.95), (0.06, 0.75),
         (0.16, 0.58), (0.16, 0.0)],
        plain(shade, 10),
    )  # fmt: skip
    pen.box(-0.16, 0.2, 0.32, 0.22, plain(dice.colour(110, 220, 40)))
    pen.box(-0.07, 0.93, 0.14, 0.07, plain(dice.colour(60, 190, 50)))
    pen.bar((-0.1, 0.05), (-0.1, 0.55), 0.03, plain((215, 220, 220)))


def chair(pen: Pen) -> None:
    """A chair: thin legs, a seat, a back of slats or cloth."""
    dice = pen.canvas.dice
    frame = wood(dice, "chair")
    for x in (-0.28, -0.12, 0.2, 0.3):
        pen.bar((x, 0.0), (x, 0.45), 0.05, frame)
    pen.polygon([(-0.33, 0.42), (-0.25, 0.52), (0.28, 0.52), (0.36, 0.42)], cloth(dice, "chair"))
    if dice.chance(0.5):
        pen.box(-0.28, 0.5, 0.12, 0.55, cloth(dice, "chair"))
        pen.bar((-0.2, 0.7), (0.25, 0.7), 0.05, frame)
    else:
        for x in (-0.24, -0.08, 0.08, 0.24):
            pen.bar((x, 0.5), (x, 1.05), 0.06, frame)
        pen.bar((-0.26, 1.03), (0.26, 1.03), 0.1, frame)


def table(pen: Pen) -> None:
    """A dining table with a top in perspective, legs, and sometimes a cloth with dishes."""
    dice = pen.canvas.dice
    frame = wood(dice, "table")
    for x in (-0.85, -0.6, 0.6, 0.85):
        pen.bar((x, 0.0), (x, 0.7), 0.07, frame)
    top = grid(likely(dice, "table"), -25, (5, 5)) if dice.chance(0.4) else frame
    pen.polygon([(-1.0, 0.68), (-0.75, 0.98), (0.75, 0.98), (1.0, 0.68)], top)
    pen.box(-1.0, 0.6, 2.0, 0.1, frame)
    for x in (-0.45, 0.0, 0.45):
        if dice.chance(0.6):
            pen.disc(x, 0.84, 0.15, 0.06, plain((215, 215, 210)))


def sofa(pen: Pen) -> None:
    """A sofa: long back, seat cushions, arm rests, short feet."""
    dice = pen.canvas.dice
    cover = likely(dice, "sofa")
    soft = blotched(cover, 10, 3)
    pen.box(-1.0, 0.35, 2.0, 0.6, soft)
    shade = plain(shaded(cover, 0.8))
    for x in (-0.9, 0.0):
        pen.box(x, 0.3, 0.88, 0.22, blotched(cover, 14, 3))
        pen.box(x, 0.28, 0.88, 0.04, shade)
    pen.box(-1.0, 0.1, 2.0, 0.22, shade)
    for x in (-1.15, 0.93):
        pen.box(x, 0.1, 0.24, 0.58, soft)
    for x in (-1.0, 0.9):
        pen.box(x, 0.0, 0.1, 0.12, wood(dice, "table"))


def potted_plant(pen: Pen) -> None:
    """A pot with stems and leaves."""
    dice = pen.canvas.dice
    pen.polygon([(-0.22, 0.4), (-0.15, 0.0), (0.15, 0.0), (0.22, 0.4)],
                plain(likely(dice, "pot")))  # fmt: skip
    leaf = blotched(dice.colour(55, 120, 15, (-15, 25, -20)), 28, 2)
    for _ in range(dice.whole(6, 10)):
        x, y = dice.between(-0.4, 0.4), dice.between(0.55, 1.0)
        pen.bar((0.0, 0.4), (x, y), 0.04, leaf)
        pen.disc(x, y, dice.between(0.08, 0.2), dice.between(0.05, 0.12), leaf)


def monitor(pen: Pen) -> None:
    """A screen in a frame on a stand."""
    dice = pen.canvas.dice
    frame = plain(dice.colour(25, 150, 8), 4)
    pen.polygon([(-0.3, 0.0), (-0.08, 0.1), (0.08, 0.1), (0.3, 0.0)], frame)
    pen.box(-0.06, 0.05, 0.12, 0.2, frame)
    pen.box(-0.65, 0.2, 1.3, 0.85, frame)
    content = fading(likely(dice, "screen"), likely(dice, "screen"))
    pen.box(-0.57, 0.28, 1.14, 0.69, content)
    if dice.chance(0.5):
        pen.polygon(
            [(-0.5, 0.95), (-0.2, 0.95), (-0.45, 0.3), (-0.55, 0.3)], plain((200, 205, 215))
        )
