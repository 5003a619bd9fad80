"""Random draws that belong to a seed, a purpose and a counter, and to no call order."""

import hashlib

import numpy as np


def draws(seed: int, purpose: str, counter: int) -> np.random.Generator:
    """The generator that belongs to (seed, purpose, counter) alone."""
    word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:4], "little")
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, word, counter])))
