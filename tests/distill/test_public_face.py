"""`import segdistill` gives what it promises, only when asked, and the documented loop trains."""

import doctest
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import segdistill
from segdistill.distill import Distiller, NetSpec, View, load

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "use-a-loss.md"


def test_the_names_are_those_of_the_contract() -> None:
    assert segdistill.Distiller is Distiller
    assert segdistill.View is View
    assert segdistill.NetSpec is NetSpec
    assert segdistill.load_method is load
    assert set(segdistill.__all__) <= set(dir(segdistill))


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'teacher'"):
        segdistill.teacher  # noqa: B018


def test_the_import_alone_loads_nothing_heavy() -> None:
    code = "import segdistill, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_loss_in_one_s_own_loop_needs_nothing_of_the_harness() -> None:
    code = (
        "import segdistill, sys; segdistill.load_method('cwd'); "
        "print(*sorted({'.'.join(name.split('.')[:2]) for name in sys.modules "
        "if name.startswith('segdistill.')}))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["segdistill.distill"]


def test_its_example() -> None:
    assert doctest.testmod(segdistill) == (0, 2)


def test_the_documented_loop_trains_student_and_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    losses: list[float] = []
    backward = torch.Tensor.backward

    def noted(loss: torch.Tensor, *args: Any, **options: Any) -> None:
        losses.append(loss.item())
        backward(loss, *args, **options)

    monkeypatch.setattr(torch.Tensor, "backward", noted)
    found: dict[str, Any] = {}
    exec(compile(source, str(GUIDE), "exec"), found)
    assert len(losses) == 3
    assert all(torch.isfinite(torch.tensor(losses)))
    assert list(found["terms"]) == ["channel"]
    assert found["terms"]["channel"] > 0
    for module in (found["student"], found["method"]):
        assert all(parameter.grad.abs().max() > 0 for parameter in module.parameters())
    assert all(parameter.grad is None for parameter in found["teacher"].parameters())
