"""The recurrent layers that a request's families ask for."""

from __future__ import annotations

from collections.abc import Mapping

CELLS: Mapping[str, str] = {"lstm": "LSTM", "gru": "GRU", "bilstm": "LSTM", "bigru": "GRU", "rnn": "SimpleRNN"}
"""By the value of a constraint `family`: Keras' layer. The families that begin with "bi" want it in both directions."""
