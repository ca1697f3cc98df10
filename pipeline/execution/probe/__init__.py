"""What goes into a project's own process and writes down what happens there.

Standard library only, for Python 3.9 to 3.13; nothing of this folder imports our packages, and the folder is loaded by
path, under a name of its own. `launch` starts a project's script, `writing` writes events as JSON lines, `importing`
hooks frameworks once they are imported: `keras_hooks` and `keras_fit`, `torch_hooks` and `torch_loss`; `files` sees
what is opened. `watching` is what the hooks share, `describing` and `targets` are what they say.

The project sees no difference in its results: nothing is added to its callbacks, no random number is drawn, no data set
is iterated, no graph gets a node. Whatever goes wrong in a hook is swallowed, and the project goes on.

A hostile project can forge events, or write none. They say what a network was, and how far it came; limits, exit code
and what was spent come from the supervisor, never from here.
"""

from __future__ import annotations

from .running import run

__all__ = ["run"]
