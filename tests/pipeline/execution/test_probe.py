"""The probe in real processes: a project runs as without it, and what it does is seen."""

from __future__ import annotations

import sys
import textwrap

import pytest

from pipeline.environments.building import find_built
from pipeline.environments.catalogue import environment_named
from pipeline.errors import DLCodeGenError
from pipeline.execution.climbing import climb
from pipeline.execution.events import read_events
from pipeline.execution.ladder import Rung
from pipeline.execution.observation import Observation
from pipeline.execution.running.observed import PROBE, run_observed
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits
from tests.waiting import scaled

QUIET = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
LIMITS = Limits(seconds=scaled(240))


def project(code: str) -> list[SourceFile]:
    return [SourceFile(path=SCRIPT, text=textwrap.dedent(code)), SourceFile(path="data/a.csv", text="x\n1\n")]


def sandbox(python: str = sys.executable) -> ProcessSandbox:
    try:
        return ProcessSandbox(python, environment=QUIET)
    except DLCodeGenError as error:
        pytest.skip(str(error))


def observed(box: ProcessSandbox, code: str, limits: Limits = LIMITS) -> tuple[Execution, str]:
    return run_observed(box, project(code), SCRIPT, limits)


def same_with_and_without(box: ProcessSandbox, code: str) -> tuple[Execution, Observation]:
    """The run with the probe, which said and did what the run without it says and does."""
    plain = box.run(project(code), SCRIPT, LIMITS)
    execution, events = observed(box, code)
    assert execution.stdout_tail == plain.stdout_tail
    assert execution.stderr_tail == plain.stderr_tail
    assert execution.exit_code == plain.exit_code
    return execution, read_events(events)


WITHOUT_FRAMEWORK = {
    "as_the_main_module": """
        import os, sys
        print(__name__, sys.argv, os.path.basename(__file__), sorted(os.listdir(".")) == ["data", "project.py"])
        print(sys.path[0] == os.getcwd(), __doc__, __spec__, sys.modules["__main__"].__dict__ is globals())
        import atexit, pickle
        class Own: pass
        pickle.loads(pickle.dumps(Own()))
        atexit.register(print, "at the end")
        """,
    "a_docstring_a_future_and_a_text_after_the_imports": """
        'about'
        from __future__ import annotations
        import inspect
        'no docstring'
        def own(x: Missing) -> None: 'its own'
        print(__doc__, own.__annotations__, inspect.getsource(own))
        """,
    "a_syntax_error_after_output": "import sys\nprint('out')\nreturn 3",
    "an_error": "def inner():\n    raise ValueError('no')\ninner()",
    "a_chain": "try:\n    {}['a']\nexcept KeyError as error:\n    raise RuntimeError('b') from error",
    "an_exit_with_words": "import sys\nsys.exit('gave up')",
    "an_exit_with_a_number": "import sys\nsys.exit(3)",
    "a_syntax_error": "x = (",
    "an_own_hook": "import sys\nsys.excepthook = lambda *what: print('mine', what[0].__name__)\n1 / 0",
    "children": """
        import multiprocessing
        def double(x): return 2 * x
        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(double, [1, 2]))
        """,
}


def test_a_script_runs_as_without_the_probe() -> None:
    """Each compared with `python SCRIPT`, all of them in one run of the sandbox."""
    box = sandbox()
    codes = {name: textwrap.dedent(code) for name, code in WITHOUT_FRAMEWORK.items()}
    listing = codes.pop("as_the_main_module").replace(', sorted(os.listdir(".")) == ["data", "project.py"]', "")
    execution, seen = same_with_and_without(box, listing)
    assert execution.ok
    assert (seen.began, seen.imported, seen.ended) == (True, True, True)
    driver = f"""
        import subprocess, sys
        for name, code in {codes!r}.items():
            open("one.py", "w").write(code)
            runs = []
            for command in (["one.py"], ["/opt/probe/launch.py", "events", "one.py"]):
                done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
                runs.append((done.returncode, done.stdout, done.stderr))
            print(name, "same" if runs[0] == runs[1] else runs)
    """
    done = box.run(project(driver), SCRIPT, LIMITS, given={"/opt/probe": PROBE})
    assert done.stdout_tail.split() == [word for name in codes for word in (name, "same")], done


def test_files_are_seen_whether_they_are_there_or_not() -> None:
    code = """
        import os, tempfile
        open("data/a.csv").read()
        open("out.txt", "w").write("x"); open("out.txt").read()
        for path in ("data/b.csv", "/kaggle/input/c.csv"):
            try: open(path)
            except OSError: pass
        try: os.listdir("images")
        except OSError: pass
        import socket
        try: socket.getaddrinfo("example.invalid", 80)
        except OSError: pass
    """
    _, events = observed(sandbox(), code)
    seen = read_events(events)
    assert {file.path: file.found for file in seen.files} == {
        "data/a.csv": True, "data/b.csv": False, "/kaggle/input/c.csv": False, "images": False,
    }  # fmt: skip
    assert seen.downloads == ("example.invalid",)


def test_what_a_killed_project_had_reached_is_kept() -> None:
    code = "import json\nopen('data/a.csv')\nwhile True: pass"
    execution, events = observed(
        sandbox(), "open('data/a.csv')\nwhile True: pass", Limits(seconds=scaled(120), cpu_seconds=2)
    )
    assert execution.timed_out
    climbed = climb(execution, events, code)
    assert climbed.reached is Rung.DATA_FOUND
    assert climbed.first_exception is not None
    assert climbed.first_exception.kind == "time"


def test_the_probe_needs_no_package_and_no_newer_python() -> None:
    """Python 3.9's grammar, and imports of nothing but the standard library."""
    import ast

    for path in PROBE.glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 9))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names.append(node.module or "")
            assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names, path


TORCH = """
import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
x = torch.rand(120, 8)
y = (x[:, 0] > 0.5).long()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.last = nn.Linear(16, 2)
    def forward(self, v):
        return self.last(torch.relu(self.first(v)))

net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
loader = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
for epoch in range(12):
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        optimizer.step()
with torch.no_grad():
    for a, b in loader:
        net(a)
print(loss.item(), sum(p.sum().item() for p in net.parameters()))
generator, judge = nn.Linear(4, 8), nn.Linear(8, 1)
of_generator = torch.optim.Adam(generator.parameters(), lr=1e-4)
of_judge = torch.optim.SGD(judge.parameters(), lr=1e-3)
for step in range(3):
    fake = generator(torch.rand(5, 4))
    of_judge.zero_grad()
    nn.functional.binary_cross_entropy_with_logits(judge(fake.detach()), torch.zeros(5, 1)).backward()
    of_judge.step()
    of_generator.zero_grad()
    nn.functional.binary_cross_entropy_with_logits(judge(fake), torch.ones(5, 1)).backward()
    of_generator.step()
print(fake.sum().item())
nn.Linear(3, 3)(x)
"""


def test_pytorch() -> None:
    pytest.importorskip("torch")
    execution, seen = same_with_and_without(sandbox(), TORCH)
    networks = {network.id: network for network in seen.networks}
    classifier, *others = seen.trainings
    net = networks[classifier.network or 0]
    assert (net.kind, [layer.kind for layer in net.layers], net.parameters) == ("Net", ["Linear", "Linear"], 178)
    assert net.layers[1].settings["out_features"] == 2
    assert (classifier.optimizer, classifier.learning_rate, classifier.loss) == ("AdamW", 0.01, "nll_loss")
    assert (classifier.batch_size, classifier.epochs_ended, classifier.steps) == (20, 12, 72)
    losses = [log["loss"] for log in classifier.epoch_logs]
    assert len(losses) == 12
    assert losses[-1] < losses[0] < 1
    assert classifier.targets is not None
    assert (classifier.targets.count, classifier.targets.classes) == (120, 2)
    assert [(one.optimizer, one.steps, networks[one.network or 0].parameters) for one in others] == [
        ("SGD", 3, 9), ("Adam", 3, 40),
    ]  # fmt: skip
    climbed = climb(execution, "", TORCH)
    assert climbed.first_exception is not None
    assert (climbed.first_exception.kind, climbed.first_exception.code) == ("shape", "nn.Linear(3, 3)(x)")


KERAS = """
import numpy as np
import tensorflow as tf
from tensorflow import keras
keras.utils.set_random_seed(1)
x = np.random.rand(200, 8).astype("float32")
y = (x[:, 0] > 0.5).astype(int)
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.2),
                          keras.layers.Dense(2, activation="softmax")])
model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=8, batch_size=16, validation_split=0.2, verbose=0)
print(history.history["loss"], len(history.history))
for _ in range(3):
    model.train_on_batch(x[:8], y[:8])
data = tf.data.Dataset.from_tensor_slices(x).shuffle(200).batch(50)
generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)])
judge = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
of_generator, of_judge = keras.optimizers.Adam(1e-4), keras.optimizers.RMSprop(2e-4)

@tf.function
def step(real):
    with tf.GradientTape() as one, tf.GradientTape() as other:
        fake = generator(tf.random.normal((50, 4)))
        loss = tf.reduce_mean(judge(fake))
        own = tf.reduce_mean(judge(real)) - loss
    of_generator.apply_gradients(zip(one.gradient(loss, generator.trainable_variables), generator.trainable_variables))
    of_judge.apply_gradients(zip(other.gradient(own, judge.trainable_variables), judge.trainable_variables))
    return loss

for epoch in range(2):
    for batch in data:
        loss = step(batch)
print(float(loss))
keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])(x)
"""


@pytest.mark.parametrize("name", ["keras3", "tf215"])
def test_keras(name: str) -> None:
    built = find_built(environment_named(name))
    if built is None:
        pytest.skip(f"needs the environment {name}, which `dlcodegen environments` or `make check-starter` builds")
    box = sandbox(built.python)
    if name == "keras3":
        execution, seen = same_with_and_without(box, KERAS)
    else:  # once: a start of this one takes twenty seconds
        execution, events = observed(box, KERAS)
        seen = read_events(events)
    networks = {network.id: network for network in seen.networks}
    by_fit, *others = seen.trainings
    model = networks[by_fit.network or 0]
    assert [layer.kind for layer in model.layers] == ["Dense", "Dropout", "Dense"]
    assert (model.parameters, model.ready, model.layers[1].settings["rate"]) == (178, True, 0.2)
    assert (by_fit.by, by_fit.optimizer, by_fit.learning_rate) == ("fit", "Adam", 0.01)
    assert by_fit.loss == "sparse_categorical_crossentropy"
    assert (by_fit.batch_size, by_fit.epochs_asked, by_fit.epochs_ended, by_fit.steps) == (16, 8, 8, 80)
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(by_fit.epoch_logs[-1])
    assert by_fit.targets is not None
    assert by_fit.validation_targets is not None
    assert (by_fit.targets.count, by_fit.validation_targets.count) == (160, 40)
    assert {(one.optimizer, one.by, one.steps, networks[one.network or 0].parameters) for one in others} == {
        ("Adam", "loop", 3, 178), ("Adam", "loop", 8, 40), ("RMSprop", "loop", 8, 9),
    }  # fmt: skip
    assert {one.epochs_ended for one in others} == {0, 2}
    climbed = climb(execution, "", KERAS)
    assert climbed.first_exception is not None
    assert climbed.first_exception.kind == "shape"
    assert climbed.first_exception.code.startswith("keras.Sequential([keras.Input((3,))")
