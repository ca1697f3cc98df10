from __future__ import annotations

import pytest

from pipeline.records import SourceFile
from pipeline.sandbox.sandbox import Execution, Limits, Sandbox, ScriptedSandbox

TRACEBACK = """\
2025-01-01 10:00:00.000000: I tensorflow/core/platform/cpu_feature_guard.cc:210] This TensorFlow binary is optimized
Traceback (most recent call last):
  File "/tmp/dlcodegen-x/project/project.py", line 6, in <module>
    model.fit(x)
keras.src.errors.ShapeError: Shapes (32, 10) and (32, 1) are incompatible

Arguments received by CategoricalCrossentropy.call():
  y_pred=tf.Tensor(shape=(32, 10), dtype=float32)
"""


@pytest.mark.parametrize(
    ("execution", "reason"),
    [
        (Execution(exit_code=0, stderr_tail="ValueError: caught and printed"), ""),
        (Execution(exit_code=137, stopped="seconds", seconds=60.04), "stopped at its limit of seconds after 60.0 s"),
        (
            Execution(exit_code=1, stderr_tail=TRACEBACK),
            "keras.src.errors.ShapeError: Shapes (32, 10) and (32, 1) are incompatible",
        ),
        (
            Execution(exit_code=1, stderr_tail="KeyError: 'a'\n\nDuring handling:\nKeyboardInterrupt\n"),
            "KeyboardInterrupt",
        ),
        (Execution(exit_code=1, stderr_tail="Killed by hand\n\n"), "Killed by hand"),
        (Execution(exit_code=139), "exit code 139"),
    ],
)
def test_reason(execution: Execution, reason: str) -> None:
    assert execution.reason() == reason


def test_scripted_sandbox() -> None:
    sandbox = ScriptedSandbox(lambda files: Execution(exit_code=1 if "error" in files[0].text else 0))
    runs: Sandbox = sandbox
    good, bad = SourceFile(path="p.py", text="fine"), SourceFile(path="p.py", text="error")
    assert [runs.run([file], "p.py", Limits()).ok for file in (good, bad)] == [True, False]
    assert sandbox.runs[1] == ((bad,), "p.py", Limits())
