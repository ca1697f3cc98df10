"""The probe's events are foreign text: what is forged or torn costs what it says, and nothing else."""

from __future__ import annotations

import json

import pytest

from pipeline.execution.events import read_events

RATE = 0.009999999776482582
"""0.01 in single precision."""


def lines(*events: dict[str, object]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def test_later_events_replace_what_earlier_ones_said() -> None:
    seen = read_events(
        lines(
            {"event": "began"},
            {"event": "network", "id": 0, "framework": "keras", "kind": "Sequential", "parameters": 0, "ready": True},
            {"event": "training", "id": 0, "network": 0, "by": "fit", "optimizer": "Adam", "learning_rate": RATE},
            {"event": "network", "id": 0, "framework": "keras", "kind": "Sequential", "parameters": 15},
            {"event": "training", "id": 0, "steps": 8},
            {"event": "epoch", "training": 0, "logs": {"loss": 0.5, "name": "no number"}},
            {"event": "file", "path": "train.csv", "found": False},
            {"event": "ended"},
        )
    )
    assert (seen.began, seen.ended, seen.steps) == (True, True, 8)
    network = seen.networks[0]
    assert (network.parameters, network.ready) == (15, True)
    training = seen.trainings[0]
    assert (training.optimizer, training.learning_rate, training.steps, training.epochs_ended) == ("Adam", 0.01, 8, 1)
    assert training.epoch_logs == ({"loss": 0.5},)
    assert [(file.path, file.found) for file in seen.files] == [("train.csv", False)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json\n",
        "[1, 2]\n{}\n",
        '{"event": "network"}\n',
        '{"event": "network", "id": 0, "layers": [1, {"settings": [2]}], "parameters": "many"}\n',
        '{"event": "training", "id": -1, "steps": 3}\n',
        '{"event": "training", "id": 1e400, "steps": 3}\n',
        '{"event": "epoch", "training": 0, "logs": [1]}\n',
        '{"event": "file"}\n',
        '{"event": {"a": 1}, "id": {}}\n',
        '{"event": "training", "id": 0, "targets": {"count": []}, "epochs_asked": NaN}\n',
        "[" * 100_000 + "\n",
        '{"event": "began"',
    ],
)
def test_what_is_no_event_says_nothing(text: str) -> None:
    seen = read_events(text)
    assert seen.steps == 0
    assert not any(network.parameters for network in seen.networks)


def test_a_flood_of_events_has_bounds() -> None:
    many = [{"event": "network", "id": number, "kind": "x" * 10_000} for number in range(2000)]
    files = [{"event": "file", "path": f"{number}.csv", "found": True} for number in range(2000)]
    seen = read_events(lines(*many, *files))
    assert len(seen.networks) <= 50
    assert len(seen.networks[0].kind) <= 200
    assert len(seen.files) <= 300
