"""Textures of drawn things: grey levels, H W, that are added to their colour."""

from collections.abc import Callable

import numpy as np

from segdistill.data.scenes.canvas import Dice, Floats, Texture

_CONTRAST = 30  # grey levels


def _woven(combine: Callable[[Floats, Floats], Floats]) -> Texture:
    """What `combine` makes of waves down (H 1) and across (1 W)."""

    def texture(dice: Dice, height: int, width: int) -> Floats:
        grey = combine(_wave(dice, height)[:, None], _wave(dice, width)[None, :])
        return _CONTRAST * np.broadcast_to(grey, (height, width))

    return texture


def _wave(dice: Dice, length: int) -> Floats:
    """-1 and 1 in turn, for two to four pixels each."""
    return np.where((np.arange(length) + dice.whole(0, 7)) // dice.whole(2, 4) % 2, 1.0, -1.0)


plain = _woven(lambda _, across: 0 * across)
stripes = _woven(lambda _, across: across)
bands = _woven(lambda down, _: down)
checks = _woven(np.multiply)
windows = _woven(np.minimum)


def fading(dice: Dice, height: int, width: int) -> Floats:  # noqa: ARG001
    """Lighter towards the foot."""
    down = 2 * np.arange(height)[:, None] / height - 1
    return _CONTRAST * np.broadcast_to(down, (height, width))


def blotches(dice: Dice, height: int, width: int) -> Floats:
    """Patches of two or three pixels."""
    cell = dice.whole(2, 3)
    coarse = dice.field(height // cell + 1, width // cell + 1).repeat(cell, 0).repeat(cell, 1)
    return _CONTRAST * coarse[:height, :width]
