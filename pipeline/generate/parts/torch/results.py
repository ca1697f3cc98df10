"""Parts of the results of PyTorch scripts: metrics, curves and reports of the test, and what is saved."""

from __future__ import annotations

import ast

from pipeline.generate.parts.script import Script
from pipeline.generate.parts.shown import plots, scores
from pipeline.request.constraints import Constraint


def plot(script: Script, constraint: Constraint) -> Script | None:
    """A cell at the end that draws and saves."""
    if constraint.value == "learning_curves":
        return _learning_curves(script)
    return plots.plot(script, constraint)


def report(script: Script, constraint: Constraint) -> Script | None:
    """scikit-learn's report on the test's classes."""
    return scores.report(script) if constraint.value == "classification_report" else None


def model_file(script: Script, constraint: Constraint) -> Script | None:
    """The best weights under the asked name; of a GAN, its generator's."""
    name = "model.pt" if constraint.value == "true" else constraint.value.replace("\\", "/").rpartition("/")[2]
    saved = next((one for one in ("model", "generator") if script.assigned(one) is not None), "")
    if not name.endswith((".pt", ".pth")) or not saved or '"' in name:
        return None
    return script.with_lines_at_end(f'# %% Save\ntorch.save({saved}.state_dict(), "{name}")\n')


def _learning_curves(script: Script) -> Script | None:
    history = script.assigned("history")
    if not isinstance(history, ast.Dict):
        return None
    cell = (
        "# %% Show: learning curves\n"
        "plt.figure()\n"
        "for name in history:\n"
        '    plt.plot(history[name], label=name.replace("_", " "))\n'
        'plt.xlabel("epoch")\n'
        "plt.legend()\n"
        'plt.savefig("learning_curves.png")\n'
        "plt.show()\n"
    )
    return script.with_lines_at_end(cell).with_import("import matplotlib.pyplot as plt")
