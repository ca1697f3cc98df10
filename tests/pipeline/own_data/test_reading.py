"""Generated projects read data as people have them: their parts before the model run in the sandbox on real files.

TensorFlow is a stand-in here, since these parts need little of it; `python -m benchmarks.own_data` runs all of each.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.config import PipelineSettings
from pipeline.errors import DLCodeGenError
from pipeline.measures.project_scores import main_source
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored, SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits
from pipeline.stage import run_local

_LAYERS = """
import numpy as np


class TextVectorization:
    def __init__(self, **settings):
        self.length = settings["output_sequence_length"]

    def adapt(self, texts):
        assert all(isinstance(text, str) for text in texts)

    def __call__(self, texts):
        return np.zeros((len(texts), self.length))
"""
_KERAS = """
import numpy as np
from . import layers


class utils:
    set_random_seed = np.random.seed

    def to_categorical(labels, count):
        return np.eye(count)[np.asarray(labels)]
"""
STAND_IN = (
    SourceFile(path="tensorflow/__init__.py", text="from . import keras\n"),
    SourceFile(path="tensorflow/keras/__init__.py", text=_KERAS),
    SourceFile(path="tensorflow/keras/layers.py", text=_LAYERS),
    SourceFile(path="matplotlib/pyplot.py", text=""),  # which takes a second to import
)


@pytest.fixture(scope="module")
def sandbox() -> ProcessSandbox:
    try:
        return ProcessSandbox()
    except DLCodeGenError:
        pytest.skip("no namespaces on this machine")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that the sandbox's user may read."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == tmp_path.owner() and parent != Path(parent.anchor):
            parent.chmod(parent.stat().st_mode | 0o055)
    return tmp_path


def read(sandbox: ProcessSandbox, path: Path, *target: str, requirement: str = "Predict it.") -> Execution:
    """What the project prints of the data at a path, up to its model."""
    row = Requirement(id="r", row=0, requirement=requirement, data_folder=str(path), data_target=target)
    (record,) = run_local(generation_stages(PipelineSettings()), [row])
    assert isinstance(record, Scored)
    assert record.failure is None, record.failure
    code = main_source(record).partition("# %% Model")[0]
    code += '\nprint("read:", getattr(x_train, "shape", None), y_train.shape, len(y_val))\n'
    files = [SourceFile(path="project.py", text=code), *STAND_IN]
    return sandbox.run(files, "project.py", Limits(seconds=120), given={str(path): path})


def flowers(rows: int = 90) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"länge (cm)": chance.normal(5, 1, rows).round(2), "breite": chance.normal(2, 1, rows).round(2)}
    )
    frame["farbe"] = chance.choice(["rot", "weiß", "blau"], rows)
    frame.loc[::7, "breite"] = np.nan
    frame["art"] = np.array(["Veilchen", "Mohn", "Klee"])[np.arange(rows) % 3]
    return frame


def as_csv(folder: Path) -> Path:
    flowers().to_csv(folder / "blumen liste [1].csv", index=False)
    return folder / "blumen liste [1].csv"


def as_german_csv(folder: Path) -> Path:
    flowers().to_csv(folder / "blumen.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    return folder


def without_header(folder: Path) -> Path:
    frame = flowers().drop(columns="farbe").fillna(0.5)
    frame.to_csv(folder / "blumen.csv", index=False, header=False)
    return folder / "blumen.csv"


def as_excel(folder: Path) -> Path:
    flowers().to_excel(folder / "blumen.xlsx", index=False, sheet_name="Mai")
    return folder / "blumen.xlsx"


def as_parquet(folder: Path) -> Path:
    flowers().to_parquet(folder / "blumen.parquet")
    return folder


def packed(folder: Path) -> Path:
    with gzip.open(folder / "blumen.csv.gz", "wt", encoding="utf-8") as stream:
        flowers().to_csv(stream, index=False)
    return folder


def in_several_files(folder: Path) -> Path:
    for month in range(3):
        flowers(30).to_csv(folder / f"2024-0{month + 1}.csv", index=False)
    return folder


def train_and_test(folder: Path) -> Path:
    flowers(90).to_csv(folder / "train.csv", index=False)
    flowers(30).drop(columns="art").to_csv(folder / "test.csv", index=False)
    return folder


def wide(folder: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(60, 90)).round(3)
    frame = pd.DataFrame(values, columns=[f"gene {number}" for number in range(90)])
    frame.insert(0, "sample id", [f"s{number}" for number in range(60)])
    frame["art"] = np.array(["Mohn", "Klee"])[np.arange(60) % 2]
    frame.to_csv(folder / "genes.csv", index=False)
    return folder


TABLES = [as_csv, as_german_csv, without_header, as_excel, as_parquet, packed, in_several_files, train_and_test, wide]


@pytest.mark.parametrize("write", TABLES)
def test_a_table_is_read_as_it_is_written(sandbox: ProcessSandbox, folder: Path, write: Callable[[Path], Path]) -> None:
    target = "2" if write is without_header else "art"
    execution = read(sandbox, write(folder), target)
    assert execution.ok, execution.stderr_tail
    rows, classes = (60, 2) if write is wide else (90, 3)
    assert f"{rows} rows, {classes} classes" in execution.stdout_tail
    features = 90 if write is wide else 2 if write is without_header else 5
    assert f"({int(0.68 * rows)}, {features})" in execution.stdout_tail.rpartition("read:")[2]


def test_a_number_with_gaps_in_the_target(sandbox: ProcessSandbox, folder: Path) -> None:
    frame = flowers()
    frame["preis"] = np.where(np.arange(90) % 9, frame["länge (cm)"] * 1000.5, np.nan)
    frame.to_csv(folder / "preise.csv", index=False)
    execution = read(sandbox, folder, "preis")
    assert execution.ok, execution.stderr_tail
    assert "80 rows" in execution.stdout_tail


def photo(path: Path, size: tuple[int, int], mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).convert(mode).save(path)


def test_image_folders_with_parts_sizes_modes_and_a_broken_file(sandbox: ProcessSandbox, folder: Path) -> None:
    for part, count in (("train", 20), ("test", 5)):
        for number in range(count):
            photo(folder / part / "Katze" / f"{number}.jpg", (40 + number, 30))
            photo(folder / part / "Hund" / "alt" / f"{number}.png", (20, 50), "RGB")
    (folder / "train" / "Katze" / "x.jpg").write_bytes(b"\xff\xd8 cut off")
    execution = read(sandbox, folder)
    assert execution.ok, execution.stderr_tail
    assert "40 images of 2 classes: Hund, Katze" in execution.stdout_tail
    assert "1 images could not be opened" in execution.stdout_tail
    assert "read: (34," in execution.stdout_tail


def test_images_by_the_stems_in_a_table(sandbox: ProcessSandbox, folder: Path) -> None:
    names = [f"img_{number:03}" for number in range(40)]
    for name in names:
        photo(folder / "bilder" / f"{name}.png", (32, 32), "L")
    table = pd.DataFrame({"bild": names, "klasse": ["a", "b"] * 20})
    table.to_csv(folder / "labels.csv", index=False)
    execution = read(sandbox, folder, "klasse")
    assert execution.ok, execution.stderr_tail
    assert "40 images of 2 classes: a, b" in execution.stdout_tail
    table.assign(wert=np.arange(40) * 1.5).drop(columns="klasse").to_csv(folder / "labels.csv", index=False)
    execution = read(sandbox, folder, "wert")
    assert execution.ok, execution.stderr_tail
    assert "40 images; wert from [0.] to [58.5]" in execution.stdout_tail


def test_masks_with_values_of_their_own_beside_the_images(sandbox: ProcessSandbox, folder: Path) -> None:
    for number in range(12):
        photo(folder / f"zelle{number}.png", (30, 30))
        mask = np.zeros((30, 30), "uint8")
        mask[:10], mask[20:] = 85, 170
        Image.fromarray(mask).save(folder / f"zelle{number}_mask.png")
    execution = read(sandbox, folder, requirement="Segment the cells with a U-Net.")
    assert execution.ok, execution.stderr_tail
    assert "12 pairs, 0 images without a mask" in execution.stdout_tail
    assert "3 classes of pixels: [0, 85, 170]" in execution.stdout_tail


def test_texts_in_folders_that_are_not_all_utf8(sandbox: ProcessSandbox, folder: Path) -> None:
    for name in ("gut", "schlecht"):
        (folder / name).mkdir()
        for number in range(15):
            encoding = "cp1252" if number % 2 else "utf-8"
            (folder / name / f"{number}.txt").write_bytes(
                f"Das Frühstück war {name} und Nummer {number}".encode(encoding)
            )
    execution = read(sandbox, folder)
    assert execution.ok, execution.stderr_tail
    assert "30 texts of 2 classes: gut, schlecht" in execution.stdout_tail


@pytest.mark.parametrize("target", ["laune", "sterne"])
def test_a_table_with_text_and_other_columns(sandbox: ProcessSandbox, folder: Path, target: str) -> None:
    words = "das zimmer war sehr schön aber das frühstück leider kalt und spät".split()
    chance = np.random.default_rng(0)
    texts = [" ".join(chance.choice(words, 12)) for _ in range(60)]
    frame = pd.DataFrame({"bewertung": texts, "nächte": np.arange(60) % 9, "laune": ["gut", "schlecht"] * 30})
    frame["sterne"] = chance.normal(3, 1, 60).round(2)
    frame.loc[5, "bewertung"] = None
    frame.drop(columns="sterne" if target == "laune" else "laune").to_csv(folder / "hotel.csv", index=False)
    execution = read(sandbox, folder, target)
    assert execution.ok, execution.stderr_tail
    assert "60 rows" in execution.stdout_tail


def test_arrays_of_one_hot_targets_and_of_numbers(sandbox: ProcessSandbox, folder: Path) -> None:
    chance = np.random.default_rng(0)
    labels = np.arange(60) % 3
    np.savez(folder / "a.npz", fenster=chance.normal(size=(60, 20, 9)), labels=np.eye(3, dtype=int)[labels])
    execution = read(sandbox, folder / "a.npz")
    assert execution.ok, execution.stderr_tail
    assert "60 examples of shape (20, 9), 3 classes" in execution.stdout_tail
    np.save(folder / "x.npy", chance.normal(size=(50, 4)))
    np.save(folder / "y.npy", chance.normal(size=(50, 2)))
    (folder / "a.npz").unlink()
    execution = read(sandbox, folder)
    assert execution.ok, execution.stderr_tail
    assert "50 examples of shape (4,), 2 numbers" in execution.stdout_tail


def test_a_series_out_of_order_with_gaps(sandbox: ProcessSandbox, folder: Path) -> None:
    days = pd.date_range("2023-01-01", periods=200).strftime("%d.%m.%Y")
    frame = pd.DataFrame({"tag": days, "umsatz": np.sin(np.arange(200.0)), "gäste": np.arange(200) % 7})
    frame.loc[20:25, "umsatz"] = np.nan
    frame.to_csv(folder / "kasse.csv", index=False)
    execution = read(sandbox, folder, "umsatz")
    assert execution.ok, execution.stderr_tail
    assert "200 steps of 2 series: umsatz, gäste" in execution.stdout_tail


def test_data_that_changed_end_in_a_line_with_the_way_out(sandbox: ProcessSandbox, folder: Path) -> None:
    path = as_csv(folder)
    row = Requirement(id="r", row=0, requirement="Predict it.", data_folder=str(path), data_target=("art",))
    (record,) = run_local(generation_stages(PipelineSettings()), [row])
    flowers().rename(columns={"art": "species"}).to_csv(path, index=False)
    files = [SourceFile(path="project.py", text=main_source(record)), *STAND_IN]  # type: ignore[arg-type]
    execution = sandbox.run(files, "project.py", Limits(seconds=120), given={str(path): path})
    assert execution.exit_code == 1
    assert "has no column 'art'; it has länge (cm), breite, farbe, species" in execution.stderr_tail
    assert "Traceback" not in execution.stderr_tail
