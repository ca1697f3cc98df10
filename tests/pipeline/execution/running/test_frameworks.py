"""Training in a project that was forked from a warm process, with each framework whose environment is built here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.environments.building import find_built
from pipeline.environments.catalogue import KERAS3, TF215, TORCH, environment_named
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.environment_sandboxes import EnvironmentSandbox, EnvironmentSandboxes
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Limits
from tests.waiting import scaled

_KERAS = """\
import numpy as np
from tensorflow import keras
keras.utils.set_random_seed(1)
x = np.random.rand(256, 4).astype("float32")
y = x.sum(axis=1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
import os
assert os.path.isdir(os.path.expanduser("~/.keras")), "downloads would go to /tmp"
print("less" if losses[-1] < losses[0] / 2 else losses, "threads", os.environ["TF_NUM_INTRAOP_THREADS"])
"""

_TORCH = """\
import torch
torch.manual_seed(1)
x = torch.rand(256, 4)
y = x.sum(1, keepdim=True)
model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), 0.01)
losses = []
for _ in range(100):
    loss = torch.nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    losses.append(loss.item())
print("less" if losses[-1] < losses[0] / 2 else losses, "threads", torch.get_num_threads())
"""

_PROGRAMS = {KERAS3: _KERAS, TF215: _KERAS, TORCH: _TORCH}
_THREADS = 2


@pytest.fixture(params=[KERAS3, TORCH, TF215])
def warm(request: pytest.FixtureRequest) -> Iterator[tuple[str, EnvironmentSandbox]]:
    name: str = request.param
    if find_built(environment_named(name)) is None:
        pytest.skip(f"env={name} is not built on this machine")
    try:
        ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))
    sandboxes = EnvironmentSandboxes(threads=_THREADS)
    yield name, sandboxes.of(name)
    sandboxes.close()


@pytest.mark.slow
def test_training_works_after_the_fork_with_the_threads_asked_for(warm: tuple[str, EnvironmentSandbox]) -> None:
    name, sandbox = warm
    for _ in range(2):
        execution, events = sandbox.run(
            [SourceFile(path=SCRIPT, text=_PROGRAMS[name])], SCRIPT, Limits(seconds=scaled(300), cpu_seconds=120)
        )
        assert execution.stdout_tail == f"less threads {_THREADS}\n", execution.stderr_tail
        assert '"event": "network"' in events
