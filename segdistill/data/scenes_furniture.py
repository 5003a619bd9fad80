"""What stands on the kerb of a drawn street: poles, signs, lights, bins."""

from collections.abc import Callable

from segdistill.data.scenes_canvas import Pen
from segdistill.data.scenes_colours import likely
from segdistill.data.scenes_perspective import SIDES, Item, Street
from segdistill.data.scenes_surfaces import plain, shaded

_RED, _BLUE = (185, 50, 45), (50, 85, 175)


def furniture(street: Street) -> list[Item]:
    """Poles along the kerb, most of which carry a sign or a light."""
    dice, items = street.canvas.dice, []
    for _ in range(dice.whole(3, 6)):
        x = dice.pick(SIDES) * dice.between(street.road + 0.3, street.walk)
        depth = dice.between(0.15, 0.75)
        kind = dice.pick((_sign, _sign, _light, _light, None))

        def draw(x: float = x, depth: float = depth,
                 kind: Callable[[Pen], None] | None = kind) -> None:  # fmt: skip
            pen = street.pen("pole", x, depth)
            steel = plain(likely(dice, "pole"))
            height = dice.between(2.6, 3.6) if kind else dice.between(4.5, 7.0)
            pen.bar((0.0, 0.0), (0.0, height), 0.3, steel)
            if kind:
                kind(pen)
            elif dice.chance(0.6):
                pen.bar((0.0, height), (1.4, height + 0.2), 0.2, steel)

        items.append(Item(depth, draw))
    return items


def _sign(pen: Pen) -> None:
    """One or two traffic signs on a pole: a rim around a plate of any colour."""
    dice, board = pen.canvas.dice, pen.named("traffic sign")
    rim, plate = plain(dice.pick((_RED, _RED, _BLUE))), plain(dice.colour(90, 220, 60))
    form = dice.pick(("disc", "board", "triangle"))
    if form == "disc":
        board.disc(0.0, 2.7, 0.6, 0.6, rim)
        board.disc(0.0, 2.7, 0.38, 0.38, plate)
    elif form == "board":
        board.box(-0.8, 2.2, 1.6, 1.0, rim)
        board.box(-0.62, 2.38, 1.24, 0.64, plate)
    else:
        board.polygon([(-0.7, 2.2), (0.0, 3.4), (0.7, 2.2)], rim)
        board.polygon([(-0.38, 2.4), (0.0, 3.05), (0.38, 2.4)], plate)


def _light(pen: Pen) -> None:
    """A traffic light: a dark, upright case with three lamps, one of them lit."""
    dice, case = pen.canvas.dice, pen.named("traffic light")
    case.box(-0.34, 2.1, 0.68, 1.7, plain(dice.colour(20, 80, 10)))
    lit = dice.whole(0, 2)
    lamps = ((60, 215, 120), (235, 180, 50), (225, 60, 50))
    for place, lamp in enumerate(lamps):
        colour = lamp if place == lit else (60, 60, 60)
        case.disc(0.0, 2.4 + 0.55 * place, 0.2, 0.2, plain(colour))


def bin_for_waste(pen: Pen) -> None:
    """A waste bin, which no class claims."""
    colour = pen.canvas.dice.colour(40, 160, 30)
    pen.polygon([(-0.25, 0.0), (-0.3, 0.9), (0.3, 0.9), (0.25, 0.0)], plain(colour))
    pen.box(-0.33, 0.88, 0.66, 0.1, plain(shaded(colour)))
