"""Small real data that packages ship, written as people keep them: CSV with names of their own, folders, arrays.

    python benchmarks/own_data_sets.py FOLDER

Run with any Python that has some of scikit-learn, mlxtend, statsmodels, scikit-image and aeon; what is missing is left
out. Prints a JSON object a line: name, path, target, words of a request, origin. Nothing of this project is imported.
"""

from __future__ import annotations

import inspect
import json
import sys
import wave
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

CASES: dict[str, tuple[Callable[[Path], Path], list[str], str, str]] = {}
"""By name: how it is written, its target where that has to be named, the words of a request, and what packages need."""


def case(name: str, target: str | list[str] = "", *, ask: str, needs: str) -> Callable[[Callable[[Path], Path]], None]:
    targets = [target] if isinstance(target, str) and target else list(target or [])

    def register(write: Callable[[Path], Path]) -> None:
        CASES[name] = (write, targets, ask, needs)

    return register


def _sklearn_table(loader: str, target: str, file: Path, **how: Any) -> Path:
    bunch = getattr(import_module("sklearn.datasets"), loader)(as_frame=True)
    frame = bunch.frame.rename(columns={"target": target})
    if hasattr(bunch, "target_names") and len(bunch.target_names):
        frame[target] = np.array(bunch.target_names)[frame[target]]
    frame.to_csv(file, index=False, **how)
    return file


@case("iris", ask="Tell the species of iris flowers.", needs="sklearn")
def iris(folder: Path) -> Path:
    return _sklearn_table("load_iris", "species", folder / "iris flowers.csv")


@case("wine", "cultivar", ask="Which cultivar is a wine from?", needs="sklearn")
def wine(folder: Path) -> Path:
    return _sklearn_table("load_wine", "cultivar", folder / "wine.tsv", sep="\t")


@case("breast-cancer", ask="Diagnose tumours from measurements.", needs="sklearn")
def breast_cancer(folder: Path) -> Path:
    return _sklearn_table("load_breast_cancer", "diagnosis", folder / "biopsies.csv", sep=";")


@case("diabetes", "progression", ask="Predict how diabetes progresses.", needs="sklearn")
def diabetes(folder: Path) -> Path:
    return _sklearn_table("load_diabetes", "progression", folder / "patients.csv", sep=";", decimal=",")


@case("diabetes-gaps", "progression", ask="Predict how diabetes progresses.", needs="sklearn")
def diabetes_with_gaps(folder: Path) -> Path:
    """The same with categories and missing cells."""
    frame = (
        import_module("sklearn.datasets").load_diabetes(as_frame=True).frame.rename(columns={"target": "progression"})
    )
    frame["sex"] = np.where(frame["sex"] > 0, "m", "f")
    frame["weight class"] = pd.qcut(frame["bmi"], 4, labels=["light", "normal", "heavy", "obese"]).astype(str)
    rng = np.random.default_rng(0)
    for name in ("bp", "s3", "weight class"):
        frame.loc[rng.random(len(frame)) < 0.1, name] = np.nan
    frame.to_csv(folder / "patients.csv", index=False)
    return folder / "patients.csv"


@case("vote-1996", "vote", ask="Predict the vote from the answers in a survey.", needs="statsmodels")
def vote(folder: Path) -> Path:
    frame = import_module("statsmodels.api").datasets.anes96.load_pandas().data
    frame["vote"] = np.where(frame["vote"] == 1, "Dole", "Clinton")
    frame.to_csv(folder / "survey.csv.gz", index=False)
    return folder


@case("rare-affairs", "affair", ask="Who has an affair? They are few.", needs="statsmodels")
def rare(folder: Path) -> Path:
    """An imbalanced table: a tenth of the people who had none are few against the others."""
    frame = import_module("statsmodels.api").datasets.fair.load_pandas().data
    had = frame.pop("affairs") > 0
    frame["affair"] = np.where(had, "yes", "no")
    frame = pd.concat([frame[~had].head(2000), frame[had].head(200)]).sample(frac=1, random_state=0)
    frame.to_csv(folder / "couples.csv", index=False)
    return folder / "couples.csv"


@case("auto-mpg", "mpg", ask="How many miles per gallon does a car need?", needs="mlxtend")
def autompg(folder: Path) -> Path:
    inputs, mpg = import_module("mlxtend.data").autompg_data()
    names = ["cylinders", "displacement", "horse power", "weight", "acceleration", "model year", "origin", "car"]
    frame = pd.DataFrame(inputs, columns=names[: inputs.shape[1]])
    frame["mpg"] = mpg
    frame.to_csv(folder / "cars.csv", index=False)
    return folder / "cars.csv"


def _digits() -> Any:
    return import_module("sklearn.datasets").load_digits()


def _save(pixels: Any, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.asarray(pixels) * 255 / 16).astype("uint8")).save(file)


@case("digit-folders", ask="Recognise handwritten digits.", needs="sklearn")
def digit_folders(folder: Path) -> Path:
    digits = _digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        _save(image, folder / f"digit {label}" / f"{number}.png")
    return folder


@case("digit-list", "digit", ask="Recognise the digit in each scan.", needs="sklearn")
def digit_list(folder: Path) -> Path:
    digits = _digits()
    for number, image in enumerate(digits.images):
        _save(image, folder / "scans" / f"scan_{number:04}.png")
    names = [f"scan_{number:04}" for number in range(len(digits.images))]
    words = np.array("zero one two three four five six seven eight nine".split())
    pd.DataFrame({"scan": names, "digit": words[digits.target]}).to_csv(folder / "scans.csv", index=False)
    return folder


@case("digit-ink", "ink", ask="How much ink is on a scan?", needs="sklearn")
def digit_ink(folder: Path) -> Path:
    """The number is counted from the images: the sum of their pixels."""
    digits = _digits()
    for number, image in enumerate(digits.images[:800]):
        _save(image, folder / "scans" / f"{number}.png")
    ink = digits.images[:800].sum(axis=(1, 2))
    frame = pd.DataFrame({"scan": [f"scans/{number}.png" for number in range(800)], "ink": ink})
    frame.to_csv(folder / "ink.csv", index=False)
    return folder


@case("digit-arrays", ask="Classify the digits in my arrays.", needs="sklearn")
def digit_arrays(folder: Path) -> Path:
    digits = _digits()
    np.savez(folder / "digits.npz", pixels=digits.images.astype("float32"), label=digits.target)
    return folder / "digits.npz"


@case("diabetes-arrays", ask="Predict the progression.", needs="sklearn")
def diabetes_arrays(folder: Path) -> Path:
    inputs, target = import_module("sklearn.datasets").load_diabetes(return_X_y=True)
    np.save(folder / "x.npy", inputs)
    np.save(folder / "y.npy", target)
    return folder


@case("mnist-folders", ask="Recognise handwritten digits.", needs="mlxtend")
def mnist(folder: Path) -> Path:
    inputs, labels = import_module("mlxtend.data").mnist_data()
    for number in range(0, len(inputs), 5):
        file = folder / "train" / str(labels[number]) / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(inputs[number].reshape(28, 28).astype("uint8")).save(file)
    return folder


@case("coins", ask="Segment the coins.", needs="skimage")
def coins(folder: Path) -> Path:
    """Parts of a photograph; the masks are where it is lighter than Otsu's threshold, holes filled."""
    image = import_module("skimage.data").coins()
    threshold = import_module("skimage.filters").threshold_otsu(image)
    mask = import_module("scipy.ndimage").binary_fill_holes(image > threshold)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    number = 0
    for top in range(0, image.shape[0] - 48, 32):
        for left in range(0, image.shape[1] - 48, 32):
            part = slice(top, top + 48), slice(left, left + 48)
            Image.fromarray(image[part]).save(folder / "images" / f"part{number}.png")
            Image.fromarray((mask[part] * 255).astype("uint8")).save(folder / "masks" / f"part{number}.png")
            number += 1
    return folder


@case("sunspots", ask="Forecast next year's sunspots.", needs="statsmodels")
def sunspots(folder: Path) -> Path:
    import_module("statsmodels.api").datasets.sunspots.load_pandas().data.to_csv(folder / "sunspots.csv", index=False)
    return folder / "sunspots.csv"


@case("macro", "unemployment", ask="Forecast unemployment from other figures.", needs="statsmodels")
def macro(folder: Path) -> Path:
    """Several series beside each other."""
    frame = import_module("statsmodels.api").datasets.macrodata.load_pandas().data
    quarters = frame.pop("year").astype(int).astype(str) + "Q" + frame.pop("quarter").astype(int).astype(str)
    frame.insert(0, "quarter", pd.PeriodIndex(quarters, freq="Q").to_timestamp().strftime("%Y-%m-%d"))
    frame = frame[["quarter", "unemp", "infl", "realint", "tbilrate"]].rename(columns={"unemp": "unemployment"})
    frame.to_csv(folder / "economy.csv", index=False)
    return folder / "economy.csv"


@case("co2-years", ask="Forecast the carbon dioxide of next week.", needs="statsmodels")
def co2(folder: Path) -> Path:
    """A series in a table for each decade, with gaps."""
    frame = import_module("statsmodels.api").datasets.co2.load_pandas().data.reset_index()
    frame.columns = ["week", "co2 ppm"]
    weeks = pd.to_datetime(frame["week"])
    for decade, part in frame.groupby(weeks.dt.year // 10 * 10):
        part.to_csv(folder / f"co2_{decade}s.csv", index=False)
    return folder


def _docstrings() -> Iterator[tuple[str, str, int]]:
    """Packages' own documentation: library, text, number of parameters."""
    for library in ("numpy", "pandas", "matplotlib.pyplot"):
        module = import_module(library)
        for name in sorted(dir(module)):
            function = getattr(module, name)
            text = inspect.getdoc(function) if callable(function) and not name.startswith("_") else None
            if text and len(text) > 100:
                try:
                    count = len(inspect.signature(function).parameters)
                except (TypeError, ValueError):
                    continue
                yield library.partition(".")[0], text.replace(library.partition(".")[0], "it"), count


@case("doc-folders", ask="Which library is a text from?", needs="matplotlib")
def doc_folders(folder: Path) -> Path:
    for number, (library, text, _) in enumerate(_docstrings()):
        file = folder / library / f"{number}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    return folder


@case("doc-table", "library", ask="Which library is a text from?", needs="matplotlib")
def doc_table(folder: Path) -> Path:
    frame = pd.DataFrame(_docstrings(), columns=["library", "documentation", "parameters"])
    frame["documentation"] = frame["documentation"].str.slice(0, 600).str.replace("\n", " ")
    frame.to_csv(folder / "docs.csv", index=False)
    return folder / "docs.csv"


@case("doc-parameters", "parameters", ask="How many parameters has a function?", needs="matplotlib")
def doc_parameters(folder: Path) -> Path:
    frame = pd.DataFrame(_docstrings(), columns=["library", "documentation", "parameters"])
    frame["documentation"] = frame["documentation"].str.slice(0, 600).str.replace("\n", " ")
    frame["parameters"] = frame["parameters"] + 0.0
    frame.to_csv(folder / "docs.csv", index=False, float_format="%.2f")
    return folder / "docs.csv"


@case("motions", ask="Which motion do the sensors record?", needs="aeon")
def motions(folder: Path) -> Path:
    """Windows of six channels."""
    load = import_module("aeon.datasets").load_basic_motions
    for part in ("train", "test"):
        inputs, labels = load(split=part)
        _, numbers = np.unique(labels, return_inverse=True)
        arrays = {f"x_{part}": inputs.transpose(0, 2, 1), f"y_{part}": numbers}
        np.savez(folder / f"{part}.npz", **arrays)
    parts = [np.load(folder / f"{part}.npz") for part in ("train", "test")]
    np.savez(folder / "motions.npz", **{name: part[name] for part in parts for name in part})
    for part in ("train", "test"):
        (folder / f"{part}.npz").unlink()
    return folder / "motions.npz"


@case("tones", ask="Which interval is played?", needs="numpy")
def tones(folder: Path) -> Path:
    """Made-up recordings: no package ships real ones."""
    rng = np.random.default_rng(0)
    for name, ratio in (("fifth", 1.5), ("octave", 2.0), ("third", 1.25)):
        for number in range(40):
            time = np.arange(int(rng.uniform(0.4, 0.7) * 8000)) / 8000
            pitch = rng.uniform(200, 500)
            sound = np.sin(2 * np.pi * pitch * time) + np.sin(2 * np.pi * pitch * ratio * time)
            sound += 0.3 * rng.normal(size=len(time))
            file = folder / name / f"{number}.wav"
            file.parent.mkdir(exist_ok=True)
            with wave.open(str(file), "wb") as stream:
                stream.setparams((1, 2, 8000, 0, "NONE", ""))
                stream.writeframes((sound * 8000).astype("<i2").tobytes())
    return folder


def _has(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def main(root: Path) -> None:
    """Writes each case into a folder of its own, and prints it."""
    for name, (write, target, ask, needs) in CASES.items():
        if not _has(needs):
            print(json.dumps({"name": name, "missing": needs}))
            continue
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        path = write(folder)
        print(json.dumps({"name": name, "path": str(path), "target": target, "ask": ask, "origin": needs}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
