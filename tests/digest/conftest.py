"""Every test reads the code anew."""

from collections.abc import Iterator

import pytest
from reading import forget


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    forget()
    yield
    forget()
