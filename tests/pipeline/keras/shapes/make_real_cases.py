"""Fills real_cases.json with what real Keras gives: output shape and parameters for each layer and input shape.

Run it where TensorFlow is installed; it needs nothing of this project:

    path/to/python tests/pipeline/keras/shapes/make_real_cases.py tests/pipeline/keras/shapes/real_cases.json

Add a case as `["layers.Dense(3)", [10], null, 0]` and run it; a layer that Keras refuses keeps `null` as its output.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def real(source: str, shape: list[int | None]) -> tuple[list[int | None] | None, int]:
    import keras
    from keras import layers

    try:
        layer = eval(source, {"keras": keras, "layers": layers})
        output = layer(keras.Input(tuple(shape)))
    except (ValueError, TypeError):
        return None, 0
    return list(output.shape[1:]), layer.count_params()


if __name__ == "__main__":
    path = Path(sys.argv[1])
    cases = [[source, shape, *real(source, shape)] for source, shape, *_ in json.loads(path.read_text())]
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{len(cases)} cases, {sum(case[2] is None for case in cases)} of them refused")
