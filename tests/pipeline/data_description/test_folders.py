"""Folders as people have them: pictures, sounds, texts, arrays, and what lies beside them."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data_description.describe import describe
from pipeline.data_description.description import DataDescription
from pipeline.errors import DLCodeGenError
from pipeline.plan.dataset_facts import read_facts
from pipeline.request.data_contract import DataContract, DataTarget


def picture(path: Path, size: tuple[int, int] = (32, 24), mode: str = "RGB", values: int = 256) -> None:
    """A picture of noise, of a size in width x height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    seed = sum(path.name.encode())
    Image.fromarray(np.random.default_rng(seed).integers(0, values, shape).astype(np.uint8)).save(path)


def sound(path: Path, seconds: float = 1.0, rate: int = 8000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes(b"\0\0" * int(seconds * rate))


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def contract(description: DataDescription) -> DataContract:
    assert description.contract is not None
    return description.contract


def class_folders(root: Path, names: Iterable[str] = ("daisy", "rose", "tulip"), each: int = 3) -> None:
    for name in names:
        for number in range(each):
            picture(root / name / f"{name}{number}.png")


def test_class_folders_of_pictures(tmp_path: Path) -> None:
    class_folders(tmp_path / "flowers")
    text(tmp_path / "README.md", "about")
    description = describe(str(tmp_path))
    found = contract(description)
    assert (found.inputs[0].path, found.inputs[0].layout) == ("flowers/{class}/*", "class_folders")
    assert found.inputs[0].shape == (24, 32, 3)
    assert found.targets == (DataTarget(name="class", kind="class", classes=3, class_names=("daisy", "rose", "tulip")),)
    assert found.examples == 9
    assert description.attributes == (
        "9 RGB images of 24x32 pixels (height x width) in 3 class folders (daisy, rose, tulip), 3 per class."
    )
    facts = read_facts(description.attributes)
    assert (facts.height, facts.width, facts.channels, facts.classes) == (24, 32, 3, 3)


def test_train_validation_and_test_folders(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "val", each=1)
    class_folders(tmp_path / "test", each=2)
    found = contract(describe(str(tmp_path)))
    assert found.inputs[0].path == "train/{class}/*"
    assert (found.validation, found.held_out, found.unlabelled) == ("val", "test", "")
    assert found.examples == 9


def test_a_test_folder_without_classes_is_unlabelled(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    picture(tmp_path / "test" / "1.png")
    found = contract(describe(str(tmp_path)))
    assert (found.held_out, found.unlabelled) == ("", "test")


def test_a_flat_folder_of_pictures_of_many_sizes(tmp_path: Path) -> None:
    for number in range(6):
        picture(tmp_path / f"{number}.jpg", size=(40 + number, 60), mode="L" if number == 5 else "RGB")
    description = describe(str(tmp_path))
    found = contract(description)
    assert (found.inputs[0].path, found.inputs[0].layout) == ("*.jpg", "files")
    assert found.inputs[0].shape == (None, None, None)
    assert found.targets[0].kind == "none"
    assert "different sizes" in description.attributes
    assert "widths 40 to 45" in description.attributes


def test_folders_of_one_file_each_are_no_classes(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / f"patient{number}" / "scan.png")
    description = describe(str(tmp_path))
    assert contract(description).targets[0].kind == "none"
    assert any("not taken for classes" in note for note in description.notes)


@pytest.mark.parametrize(("values", "kind", "classes"), [(2, "mask", 2), (5, "mask", 5), (256, "image", None)])
def test_pictures_and_masks_in_two_folders(tmp_path: Path, values: int, kind: str, classes: int | None) -> None:
    for number in range(5):
        picture(tmp_path / "images" / f"cell{number}.jpg")
        picture(tmp_path / "masks" / f"cell{number}_mask.png", mode="L", values=values)
    picture(tmp_path / "images" / "cell9.jpg")
    description = describe(str(tmp_path))
    found = contract(description)
    assert (found.inputs[0].path, found.inputs[0].layout) == ("images/*.jpg", "paired_folders")
    assert (found.targets[0].path, found.targets[0].kind) == ("masks/*.png", kind)
    assert found.targets[0].classes == classes
    assert found.examples == 5
    assert any("1 file in images without a partner in masks" in note for note in description.notes)


def test_masks_by_the_end_of_their_names(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / f"{number}.png")
        picture(tmp_path / f"{number}_mask.png", mode="L", values=2)
    found = contract(describe(str(tmp_path)))
    assert (found.targets[0].path, found.targets[0].classes, found.examples) == ("*_mask.png", 2, 4)


def test_boxes_beside_pictures(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / "images" / f"{number}.png")
        text(tmp_path / "labels" / f"{number}.txt", "0 0.5 0.5 0.1 0.2\n1 0.25 0.1 0.05 0.05\n")
    found = contract(describe(str(tmp_path)))
    assert (found.targets[0].kind, found.targets[0].path) == ("boxes", "labels/*.txt")


@pytest.mark.parametrize(
    ("cell", "path"), [("{}.png", "images/*"), ("{}", "images/*.png"), ("images/{}.png", "*"), ("./images/{}.png", "*")]
)
def test_pictures_that_a_table_lists(tmp_path: Path, cell: str, path: str) -> None:
    lines = ["file,brand,weight,price"]
    for number in range(12):
        picture(tmp_path / "images" / f"p{number}.png")
        lines.append(f"{cell.format(f'p{number}')},{'abc'[number % 3]},{number}.5,{number * 3}.99")
    lines.append(f"{cell.format('lost')},a,1.5,2.99")
    text(tmp_path / "products.csv", "\n".join(lines) + "\n")
    description = describe(str(tmp_path))
    pictures, table = contract(description).inputs
    assert (pictures.kind, pictures.layout, pictures.path, pictures.shape) == (
        "image",
        "listed_files",
        path,
        (24, 32, 3),
    )
    assert [column.name for column in pictures.columns] == ["file"]
    assert (table.kind, table.shape) == ("table", (2,))
    assert contract(description).targets == (DataTarget(name="price", kind="number", path="products.csv"),)
    assert any("1 row of products.csv without a file" in note for note in description.notes)


def test_listed_pictures_of_a_competition(tmp_path: Path) -> None:
    rows = ["id,label"]
    for number in range(10):
        picture(tmp_path / "train" / f"{number}.png")
        picture(tmp_path / "test" / f"{number}.png")
        rows.append(f"{number},{('cat', 'dog')[number % 2]}")
    text(tmp_path / "train.csv", "\n".join(rows) + "\n")
    text(tmp_path / "sample_submission.csv", "id,label\n" + "".join(f"{number},cat\n" for number in range(10)))
    found = contract(describe(str(tmp_path)))
    assert found.inputs[0].path == "train/*.png"
    assert found.targets[0].class_names == ("cat", "dog")
    assert found.unlabelled == "test"
    assert found.writes[0].columns == ("id", "label")


def test_a_list_in_another_folder_and_columns_that_give_the_target_away(tmp_path: Path) -> None:
    rows = ["filename,fold,target,category"]
    for number in range(30):
        sound(tmp_path / "audio" / f"1-{number}.wav")
        rows.append(f"1-{number}.wav,{1 + number % 5},{number % 3},{('dog', 'rain', 'sea')[number % 3]}")
    text(tmp_path / "meta" / "clips.csv", "\n".join(rows) + "\n")
    description = describe(str(tmp_path))
    recordings, table = contract(description).inputs
    assert (recordings.kind, recordings.path) == ("audio", "audio/*")
    assert [column.name for column in table.columns if column.role == "feature"] == ["filename", "fold"]
    assert (contract(description).targets[0].name, contract(description).targets[0].classes) == ("target", 3)
    assert "Not used: category" in description.attributes


def test_a_list_that_is_a_text_file_names_files_several_times(tmp_path: Path) -> None:
    rows = ["image,caption"]
    for number in range(8):
        picture(tmp_path / "Images" / f"{number}.jpg")
        rows += [f"{number}.jpg,a child in a dress number {number} {again} climbs" for again in "abc"]
    text(tmp_path / "captions.txt", "\n".join(rows) + "\n")
    found = contract(describe(str(tmp_path)))
    assert (found.inputs[0].path, found.targets[0].name, found.targets[0].kind) == ("Images/*", "caption", "text")
    assert found.examples == 24


def test_a_list_of_files_in_class_folders(tmp_path: Path) -> None:
    class_folders(tmp_path / "images")
    names = [f"{name}/{name}{number}.png,{number % 2}" for name in ("daisy", "rose", "tulip") for number in range(3)]
    text(tmp_path / "list.csv", "\n".join(["path,wilted", *names]) + "\n")
    found = contract(describe(str(tmp_path)))
    assert (found.inputs[0].path, found.targets[0].name) == ("images/*", "wilted")


def test_parts_within_inputs_targets_and_classes(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for number in range(3):
            picture(tmp_path / "boxes" / "images" / part / f"{number}.jpg")
            text(tmp_path / "boxes" / "labels" / part / f"{number}.txt", "0 .5 .5 .1 .1\n")
    found = contract(describe(str(tmp_path / "boxes")))
    assert (found.inputs[0].path, found.targets[0].path) == ("images/train/*.jpg", "labels/train/*.txt")
    assert found.validation == "images/val"
    for name in ("bolt", "nut"):
        class_folders(tmp_path / "parts" / name, ("train", "test"))
    found = contract(describe(str(tmp_path / "parts")))
    assert (found.inputs[0].path, found.held_out) == ("{class}/train/*", "{class}/test")
    assert found.targets[0].class_names == ("bolt", "nut")


def test_two_sets_of_pictures_are_no_classes(tmp_path: Path) -> None:
    class_folders(tmp_path, ("trainA", "trainB", "testA", "testB"))
    found = contract(describe(str(tmp_path)))
    assert (found.inputs[0].path, found.targets[0].path, found.targets[0].kind) == (
        "trainA/*.png",
        "trainB/*.png",
        "image",
    )


def test_classes_in_the_names_of_files_are_pointed_out(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / f"cat.{number}.jpg")
        picture(tmp_path / f"dog.{number}.jpg")
    description = describe(str(tmp_path))
    assert contract(description).targets[0].kind == "none"
    assert any("begin with cat, dog" in note for note in description.notes)


def test_tables_of_readings_in_class_folders(tmp_path: Path) -> None:
    for name in ("run", "walk"):
        for number in range(3):
            rows = [f"{step},{step * number}.5,{step}.25" for step in range(20)]
            text(tmp_path / name / f"{name}{number}.csv", "\n".join(["t,x,y", *rows]) + "\n")
    description = describe(str(tmp_path))
    assert (contract(description).inputs[0].kind, contract(description).inputs[0].shape) == ("series", (20, 3))
    assert "6 tables of 20 rows and 3 columns (t, x, y) in 2 class folders" in description.attributes


def test_recordings_in_class_folders(tmp_path: Path) -> None:
    for name in ("cough", "other"):
        for number in range(3):
            sound(tmp_path / name / f"{name}{number}.wav", seconds=2.0, rate=16000)
    description = describe(str(tmp_path))
    assert contract(description).inputs[0].shape == (32000, 1)
    assert description.attributes.startswith("6 mono recordings at 16000 Hz, 2 seconds each in 2 class folders")
    facts = read_facts(description.attributes)
    assert (facts.sample_rate, facts.clip_seconds, facts.classes) == (16000, 2, 2)


def test_texts_in_class_folders_and_one_text(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("neg", "pos", "unsup"):
            for number in range(3):
                text(tmp_path / "reviews" / part / name / f"{number}.txt", "it was " + "very " * number + "good")
    found = contract(describe(str(tmp_path)))
    assert found.inputs[0].kind == "text"
    assert found.targets[0].class_names == ("neg", "pos")
    assert found.held_out == "reviews/test"
    text(tmp_path / "diary.txt", "Today, it rained; nothing happened.\nI stayed in bed, and read.\n" * 50)
    description = describe(str(tmp_path / "diary.txt"))
    assert contract(description).inputs[0].layout == "text_file"
    assert "100 lines" in description.attributes
    assert "rained" not in str(description.as_json())


def test_arrays(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    np.savez(
        tmp_path / "digits.npz",
        x_train=chance.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        y_train=np.arange(40) % 10,
        x_test=chance.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        y_test=np.arange(20) % 10,
    )
    description = describe(str(tmp_path / "digits.npz"))
    found = contract(description)
    assert [(data.name, data.kind, data.shape) for data in found.inputs] == [("x_train", "image", (28, 28))]
    assert [(target.name, target.kind, target.classes) for target in found.targets] == [("y_train", "class", 10)]
    assert (found.examples, found.held_out) == (40, "x_test")
    facts = read_facts(description.attributes)
    assert (facts.height, facts.width, facts.classes) == (28, 28, 10)


def test_arrays_in_files_of_their_own(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.zeros((30, 128, 9)))
    np.save(tmp_path / "y.npy", np.eye(6)[np.arange(30) % 6].astype(int))
    found = contract(describe(str(tmp_path)))
    assert (found.inputs[0].shape, found.targets[0].classes) == ((128, 9), 6)


def test_damaged_arrays_are_refused_in_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((5, 4)))
    whole = (tmp_path / "x.npz").read_bytes()
    entry = whole.index(b"PK\1\2")
    unknown_packing = whole[: entry + 10] + b"\x63\0" + whole[entry + 12 :]
    for content in (b"", whole[:100], whole[:-10], unknown_packing):
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(DLCodeGenError, match=r"x\.npz: damaged"):
            describe(str(tmp_path / "x.npz"))


def test_masks_in_arrays(tmp_path: Path) -> None:
    masks = np.arange(10 * 16 * 16).reshape(10, 16, 16, 1) % 3
    np.savez(tmp_path / "cells.npz", images=np.zeros((10, 16, 16, 3), np.uint8), masks=masks.astype(np.uint8))
    (target,) = contract(describe(str(tmp_path / "cells.npz"))).targets
    assert (target.kind, target.classes, target.shape) == ("mask", 3, (16, 16))


def test_pickled_arrays_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DLCodeGenError, match="pickled objects, which are not read"):
        describe(str(tmp_path / "x.npy"))


def test_damaged_files_are_named_and_the_others_described(tmp_path: Path) -> None:
    class_folders(tmp_path)
    whole = (tmp_path / "rose" / "rose0.png").read_bytes()
    (tmp_path / "rose" / "torn.png").write_bytes(whole[:200])
    (tmp_path / "rose" / "empty.png").write_bytes(b"")
    (tmp_path / "rose" / "page.png").write_bytes(b"<html>not found</html>")
    description = describe(str(tmp_path))
    assert [line.split(":")[0] for line in description.damaged] == ["empty.png", "page.png", "torn.png"]
    assert contract(description).inputs[0].shape == (24, 32, 3)
    sound(tmp_path / "sounds" / "a.wav")
    (tmp_path / "sounds" / "b.wav").write_bytes(b"RIFF")
    (tmp_path / "sounds" / "c.wav").write_bytes(b"")
    assert len(describe(str(tmp_path / "sounds")).damaged) == 2


def test_pipes_links_and_loops_do_not_hang(tmp_path: Path) -> None:
    class_folders(tmp_path / "data")
    os.mkfifo(tmp_path / "data" / "rose" / "pipe.png")
    (tmp_path / "data" / "rose" / "again").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "rose" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "data" / "daisy" / "linked.png").symlink_to(tmp_path / "data" / "rose" / "rose0.png")
    description = describe(str(tmp_path / "data"))
    assert contract(description).examples == 10
    assert any("no regular files" in note for note in description.notes)
    with pytest.raises(DLCodeGenError, match="neither a file nor a folder"):
        describe(str(tmp_path / "data" / "rose" / "pipe.png"))


def test_equal_names_in_two_classes_are_pointed_out(tmp_path: Path) -> None:
    for name in ("day", "night"):
        for number in range(4):
            picture(tmp_path / name / f"{number}.png")
    assert any("equal names" in note for note in describe(str(tmp_path)).notes)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("data.zip", "unpack it"),
        ("data.tar.gz", "unpack it"),
        ("model.pkl", "unpickling runs code"),
        ("x.ts", "not read"),
        ("x.unheard", "not read; known are"),
        ("x", "without an ending"),
    ],
)
def test_what_is_not_read_is_said_with_the_way_out(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4")
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(DLCodeGenError, match=reason.replace("it", ".*")) as refused:
            describe(str(path))
        assert "\n" not in str(refused.value)


def test_nothing_there(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "holds no files"), (tmp_path / "no", "no such file or folder")):
        with pytest.raises(DLCodeGenError, match=reason):
            describe(str(path))


def test_what_lies_beside_is_named(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "rose" / "model.h5").write_bytes(b"x")
    assert any("1 .h5" in note for note in describe(str(tmp_path)).notes)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "a\nb" / f"{number}.png")
        picture(tmp_path / os.fsdecode(b"\xff\xfe") / f"{number}.png")
    description = describe(str(tmp_path))
    assert contract(description).targets[0].classes == 2
    assert description.attributes.isprintable()


def test_long_and_many_class_names_are_cut(tmp_path: Path) -> None:
    names = [f"{number:02d}" + "x" * 80 for number in range(40)]
    class_folders(tmp_path, names, each=2)
    description = describe(str(tmp_path))
    assert "and 28 more" in description.attributes
    assert len(description.attributes) < 900


def test_sounds_of_equal_names_in_folders_high_and_low_are_classes(tmp_path: Path) -> None:
    for name in ("high", "low"):
        for number in range(4):
            sound(tmp_path / name / f"{number}.wav")
    target = contract(describe(str(tmp_path))).targets[0]
    assert (target.kind, target.class_names) == ("class", ("high", "low"))
