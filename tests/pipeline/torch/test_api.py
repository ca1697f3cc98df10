"""Calls of PyTorch checked against the facts that were read from an installed torch."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from pipeline.torch.api import check_call, invalid_calls
from pipeline.torch.facts import is_loss, is_module, is_optimizer, is_schedule, modules, versions

IMPORTS = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader
"""


def problems(code: str) -> tuple[str, ...]:
    return tuple(problem.split(": ", 1)[1] for problem in invalid_calls(ast.parse(IMPORTS + code)))


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("nn.Conv2d(3, 16)", "nn.Conv2d lacks the argument 'kernel_size'"),
        ("nn.Conv2d(3, filters=16, kernel_size=3)", "nn.Conv2d has no argument 'filters' (PyTorch: out_channels)"),
        ("nn.Dense(3)", "torch.nn.Dense does not exist in PyTorch"),
        ("nn.Linaer(3, 4)", "torch.nn.Linaer does not exist in PyTorch (did you mean 'Linear'?)"),
        ("nn.Linear(3)", "nn.Linear lacks the argument 'out_features'"),
        ("nn.LSTM(8, 16, return_sequences=True)", "nn.LSTM has no argument 'return_sequences'"),
        ("nn.BatchNorm2d()", "nn.BatchNorm2d lacks the argument 'num_features'"),
        ("nn.Dropout(rate=0.2)", "nn.Dropout has no argument 'rate' (PyTorch: p)"),
        ("optim.Adam(lr=1e-3)", "optim.Adam lacks the argument 'params'"),
        ("optim.AdamW(net.parameters(), learning_rate=1)", "optim.AdamW has no argument 'learning_rate' (PyTorch: lr)"),
        ("optim.Adamw(net.parameters())", "torch.optim.Adamw does not exist in PyTorch (did you mean 'AdamW'?)"),
        ("StepLR(optimizer)", "optim.lr_scheduler.StepLR lacks the argument 'step_size'"),
        ("StepLR(optimizer, 3, factor=0.1)", "optim.lr_scheduler.StepLR has no argument 'factor'"),
        ("DataLoader(data, batchsize=3)", "DataLoader has no argument 'batchsize' (did you mean 'batch_size'?)"),
        ("F.mse(x, y)", "torch.nn.functional.mse does not exist in PyTorch"),
        ("F.cross_entropy(x)", "F.cross_entropy lacks the argument 'target'"),
        ("from torch.optim.lr_scheduler import CosineDecay", "torch.optim.lr_scheduler.CosineDecay does not exist"),
        ("torch.concatt([a, b])", "torch.concatt does not exist in PyTorch"),
    ],
)
def test_what_pytorch_would_refuse_is_reported(code: str, problem: str) -> None:
    found = problems(code)
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    "code",
    [
        "nn.Sequential(nn.Conv2d(3, 16, 3, padding='same'), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten())",
        "nn.LSTM(8, 16, num_layers=2, batch_first=True, bidirectional=True, dropout=0.1)\nnn.GRU(8, hidden_size=3)",
        "nn.Conv2d(*sizes)\nnn.Linear(**options)",
        "class Net(nn.Module):\n    def forward(self, x):\n        return x\nNet(units=3)",
        "optimizer = optim.SGD([{'params': a}, {'params': b, 'lr': 0.1}], lr=0.01, momentum=0.9, nesterov=True)",
        "torch.save(net.state_dict(), 'model.pt')\ntorch.load('model.pt', weights_only=True)",
        "with torch.autocast(device_type='cpu', dtype=torch.bfloat16):\n    pass\nscaler = torch.amp.GradScaler()",
        "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)\ntorch.backends.cudnn.anything = 1",
        "torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=10)\nF.max_pool2d(x, 2)\nF.relu(x)",
        "F.interpolate(x, scale_factor=2, mode='nearest')\ntorch.utils.data.random_split(data, [3, 4])",
        "@torch.no_grad()\ndef evaluate(): pass\nx = torch.zeros(3, device='cpu').to(torch.float32)",
    ],
)
def test_what_pytorch_takes_or_cannot_be_followed_is_let_through(code: str) -> None:
    assert problems(code) == ()


def test_a_program_without_pytorch_has_none_of_its_faults() -> None:
    assert invalid_calls(ast.parse("import tensorflow as nn\nnn.Dense(3)")) == ()


def test_a_name_alone_is_checked() -> None:
    assert check_call("torch.nn.Linear", 2, ["bias"]) is None
    assert check_call("torch.nn.Linaer", 2, []) is not None
    assert check_call("torch.cat", 1, ["dim"]) is None  # written in C++: nobody can tell


def test_kinds_of_names() -> None:
    assert is_module("torch.nn.Conv2d")
    assert not is_module("torch.nn.Sequential")
    assert not is_module("torch.nn.CrossEntropyLoss")
    assert is_loss("torch.nn.functional.smooth_l1_loss")
    assert is_optimizer("torch.optim.RAdam")
    assert not is_optimizer("torch.optim.lr_scheduler.StepLR")
    assert is_schedule("torch.optim.lr_scheduler.CosineAnnealingLR")


def test_the_facts_are_those_of_the_installed_torch() -> None:
    """They are made anew when torch is; see the head of `make_api`."""
    torch = pytest.importorskip("torch")
    if torch.__version__.partition("+")[0] != versions()["torch"]:
        pytest.skip("another torch than the facts were read from")
    from pipeline.torch import make_api

    facts = json.loads(Path(make_api.__file__).with_name("api.json").read_text(encoding="utf-8"))
    # Modules that something has imported meanwhile are names of torch too.
    collected = make_api.collect()
    assert collected["calls"] == facts["calls"]
    assert modules()["torch.nn"] == frozenset(collected["names"]["torch.nn"])
