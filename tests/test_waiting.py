"""Waits end for what they wait for, and fail only for what hangs."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from tests.waiting import exit_code, scaled, slowness, wait_until


def test_a_limit_is_never_shorter_than_on_an_idle_machine() -> None:
    assert slowness() >= 1
    assert scaled(10) >= 10


def test_a_wait_ends_with_its_condition() -> None:
    event = threading.Event()
    threading.Timer(0.1, event.set).start()
    assert wait_until(event.is_set, 60)


def test_a_wait_for_what_never_happens_ends_at_its_limit() -> None:
    assert not wait_until(lambda: False, 0.1)


def test_a_process_that_hangs_is_ended_and_named() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with pytest.raises(AssertionError, match="input"):
        exit_code(process, 0.1)
    process.communicate()
    assert exit_code(subprocess.Popen([sys.executable, "-c", "exit(3)"]), 60) == 3
