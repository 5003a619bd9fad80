"""Options of the benchmarks, and the tables in which a run ends."""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from benchmarks.tables import RESULTS, Row, Table, machine, markdown, write
from segdistill.training.instructions import cap_instructions

TABLES = pytest.StashKey[dict[Table, list[Row]]]()
Record = Callable[[Table, Row], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benchmarks")
    group.addoption("--write", action="store_true", help=f"write the tables to {RESULTS}/")
    group.addoption("--experiment", default="scenes", help="whose networks, batch and options")
    group.addoption("--device", default="cpu", choices=("cpu", "cuda"), help="of the steps")
    group.addoption("--crop", type=crop, help="HxW of the steps, else the experiment's")
    group.addoption("--precision", choices=("fp32", "bf16"), help="likewise")
    group.addoption("--determinism", choices=("exact", "seeded", "fast"), help="likewise")


def crop(text: str) -> tuple[int, int]:
    height, width = map(int, text.split("x"))
    return height, width


def pytest_configure(config: pytest.Config) -> None:
    cap_instructions()
    config.addinivalue_line("markers", "slow: gigabytes or minutes")
    config.stash[TABLES] = {}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Processor time is then wall time on a free core."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def record(request: pytest.FixtureRequest, benchmark: Any) -> Record:
    """Adds a row to a table, and to what pytest-benchmark keeps."""

    def add(table: Table, row: Row) -> None:
        benchmark.extra_info |= row
        request.config.stash[TABLES].setdefault(table, []).append(row)

    return add


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print every table, also of a run that failed half-way; with --write keep it."""
    for table, rows in config.stash[TABLES].items():
        where = machine(table.device)
        terminalreporter.write_line("\n" + markdown(table, rows, where))
        if config.getoption("write"):
            write(table, rows, where, RESULTS)
