"""What the hooks of all frameworks share: numbers for networks and trainings, events when something changed, and a look
at what changes by itself."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any, Callable, Dict, List, Optional, Tuple

from .writing import EventWriter, quietly

SECONDS_BETWEEN = 0.5
"""How often progress is written at most: what a killed project loses of it."""

_MOST_NETWORKS = 12
_MOST_TRAININGS = 12
_MOST_EPOCHS = 1000


class Watch:
    """Keeps what was seen so far. Holds networks and optimizers weakly: the project may drop them."""

    def __init__(self, writer: EventWriter) -> None:
        self.writer = writer
        self._networks: List[Tuple[Any, str]] = []
        self._trainings: Dict[str, Tuple[int, Dict[str, Any]]] = {}
        self._written_at: Dict[str, float] = {}
        self._looks: List[Callable[[bool], Any]] = []
        self._thread: Optional[threading.Thread] = None
        self._over = threading.Event()
        self._lock = threading.RLock()

    def network(self, network: Any, describe: Callable[[Any], Dict[str, Any]], *, ready: bool) -> Optional[int]:
        """The network's number; describes it where it is new or looks otherwise than before. `ready` is one that was
        given an optimizer; it stays so."""
        with self._lock:
            numbers = [at for at, (known, _) in enumerate(self._networks) if known() is network]
            number = numbers[0] if numbers else None
            if number is None:
                if len(self._networks) >= _MOST_NETWORKS:
                    return None
                number = len(self._networks)
                self._networks.append((weakref.ref(network), ""))
            values = describe(network)
            if ready:
                values["ready"] = True
            if repr(values) != self._networks[number][1]:
                self._networks[number] = (self._networks[number][0], repr(values))
                self.writer.write("network", final=True, id=number, **values)
            return number

    def training(self, key: str, **values: Any) -> Optional[int]:
        """The number of the training that goes by the key; writes what is new of it."""
        with self._lock:
            if key not in self._trainings:
                if len(self._trainings) >= _MOST_TRAININGS:
                    return None
                self._trainings[key] = (len(self._trainings), {})
            number, known = self._trainings[key]
            changed = {name: value for name, value in values.items() if known.get(name) != value}
            if changed:
                self._written_at[key] = time.monotonic()
                known.update(changed)
                self.writer.write("training", final=True, id=number, **changed)
            return number

    def is_due(self, key: str) -> bool:
        """Whether it is long enough ago that something of the training was written."""
        return time.monotonic() - self._written_at.get(key, 0.0) >= SECONDS_BETWEEN

    def epoch(self, key: str, logs: Dict[str, float]) -> None:
        """An epoch of that training has ended."""
        with self._lock:
            if key in self._trainings:
                number, known = self._trainings[key]
                known["ended"] = known.get("ended", 0) + 1
                if known["ended"] <= _MOST_EPOCHS:
                    self.writer.write("epoch", training=number, logs=logs)

    def look_at(self, look: Callable[[bool], Any], *, often: bool) -> None:
        """Calls `look(False)` twice a second where it is wanted `often`, and `look(True)` at the end."""
        self._looks.append(quietly(look))
        if often and self._thread is None:
            self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """The last look, and no other after it."""
        self._over.set()
        if self._thread is not None and self.writer.is_mine:
            self._thread.join(5)
        for look in self._looks:
            look(True)

    def _look(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN):
            for look in list(self._looks):
                look(False)


def instances(of: Any) -> List[Any]:
    """The living objects of a class. By their type alone: `isinstance` would wake up lazy stand-ins."""
    return [one for one in gc.get_objects() if issubclass(type(one), of)]
