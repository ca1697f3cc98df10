"""Rows with data of their own, through the stages of a method: what is planned for, written and refused."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pipeline.config import PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.project_scores import main_source
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.stage import run_local
from pipeline.understanding import texts_read
from tests.pipeline.generate.llm.scripts import competent

SECRET = "mrs-havisham"


def trees(folder: Path) -> Path:
    """A table with semicolons and decimal commas, whose cells are nobody's business."""
    lines = ["Plot;height (m);bark;owner;leaf kind"]
    for row in range(60):
        bark, leaf = ("smooth" if row % 3 else "rough"), ("oak", "elm", "fir")[row % 3]
        lines.append(f"p{row};{2 + row % 7},5;{bark};{SECRET} of lane {row};{leaf}")
    path = folder / "trees.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def row(data: Path, target: tuple[str, ...] = (), requirement: str = "Tell the kind of leaf.") -> Requirement:
    return Requirement(
        id="r", row=0, requirement=requirement, attributes="Mine.", data_folder=str(data), data_target=target
    )


def generated(requirement: Requirement, **settings: object) -> Scored:
    (scored,) = run_local(generation_stages(PipelineSettings.model_validate(settings)), [requirement])
    assert isinstance(scored, Scored)
    return scored


def constant(code: str, name: str) -> object:
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"no constant {name}")


def test_the_project_names_file_columns_and_how_the_file_is_written(tmp_path: Path) -> None:
    project = generated(row(trees(tmp_path), ("leaf kind",)))
    code = main_source(project)
    assert constant(code, "TRAIN_FILE") == "trees.csv"
    assert constant(code, "TARGET") == "leaf kind"
    assert constant(code, "NUMBER_COLUMNS") == ["height (m)"]
    assert constant(code, "CATEGORY_COLUMNS") == ["bark"]
    assert constant(code, "READ_OPTIONS") == {"sep": ";", "decimal": ","}
    assert f'os.environ.get("DATA_DIR", "{tmp_path}")' in code
    assert project.scores is not None
    assert not project.scores.undefined_names


def test_the_users_own_words_come_first_and_the_description_last(tmp_path: Path) -> None:
    project = generated(row(trees(tmp_path), ("leaf kind",)))
    assert project.attributes.startswith("Mine.\nCSV file trees.csv with 60 rows")
    assert texts_read(project)["data"].startswith("CSV file trees.csv")
    assert project.data is not None
    assert project.data.targets[0].class_names == ("elm", "fir", "oak")


def test_what_the_data_ask_for_is_marked_in_their_description(tmp_path: Path) -> None:
    project = generated(row(trees(tmp_path), ("leaf kind",)))
    of_data = {(one.name, one.value): one for one in project.constraints if one.source == "data"}
    for name, value in (("file", "trees.csv"), ("target", "leaf kind"), ("count", "3"), ("name", "oak")):
        assert of_data[name, value].words(texts_read(project)["data"]) == value
    assert project.delivery is not None
    assert not [check for check in project.delivery.not_met if check.constraint.source == "data"]


def test_the_request_says_what_is_done_with_the_data(tmp_path: Path) -> None:
    project = generated(row(trees(tmp_path), ("leaf kind",), "Tell oak from elm: 2 classes, 7 features, 11 epochs."))
    sizes = {one.name: (one.value, one.source) for one in project.constraints if one.name in ("count", "features")}
    assert sizes == {"count": ("2", "requirement"), "features": ("7", "requirement")}
    assert constant(main_source(project), "EPOCHS") == 11


def test_no_cell_reaches_a_prompt_or_the_row_unless_that_is_allowed(tmp_path: Path) -> None:
    data = trees(tmp_path)
    for share, count in ((False, 0), (True, 3)):
        llm = ScriptedLLM(competent)
        settings = PipelineSettings.model_validate(
            {"llm": "scripted", "method": "dlcodegen", "share_examples": share, "price": {"input": 1, "output": 2}}
        )
        (project,) = run_local(generation_stages(settings, lambda llm=llm: llm), [row(data, ("leaf kind",))])
        assert project.failure is None
        asked = "\n".join(message.content for request in llm.requests for message in request.messages)
        assert "height (m)" in asked or "height m" in asked
        assert (SECRET in asked) is share
        assert project.attributes.count(SECRET) == count


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("missing.csv", "unreadable_data", "check the path"), ("empty.csv", "unreadable_data", "empty")],
)
def test_data_that_cannot_be_read_cost_their_row(tmp_path: Path, name: str, kind: str, words: str) -> None:
    (tmp_path / "empty.csv").write_text("")
    failure = generated(row(tmp_path / name)).failure
    assert failure is not None
    assert (failure.stage, failure.kind) == ("understand", kind)
    assert words in failure.message


def test_data_that_no_sample_reads_get_no_strangers_loader(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"clip{number}.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(2000))
    failure = generated(row(tmp_path)).failure
    assert failure is not None
    assert failure.kind == "unserved_data"


def test_a_table_without_a_known_target_says_how_to_name_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{n}.5,{n * 3}.25\n" for n in range(40)))
    failure = generated(row(tmp_path / "t.csv")).failure
    assert failure is not None
    assert "--target" in failure.message


def test_each_row_of_an_input_may_name_its_own_data(tmp_path: Path) -> None:
    trees(tmp_path)
    table = tmp_path / "wishes.csv"
    table.write_text(
        "id,requirement,data,target\na,Tell the leaf,trees.csv,leaf kind\nb,Tell the bark,trees.csv,bark\n"
        "c,Nothing of mine,,x\nd,Lost,nowhere.csv,\n"
    )
    rows = list(read_requirements(str(table)))
    assert [one.data_target for one in rows] == [("leaf kind",), ("bark",), (), ()]
    assert rows[0].data_folder == str(tmp_path / "trees.csv")
    assert (rows[2].data_folder, rows[2].extra) == ("", '{"data": "", "target": "x"}')
    projects = list(run_local(generation_stages(PipelineSettings()), rows))
    assert [one.failure.kind if one.failure else "" for one in projects] == ["", "", "", "unreadable_data"]
    assert constant(main_source(projects[1]), "TARGET") == "bark"
    assert "trees.csv" not in main_source(projects[2])


def test_data_for_all_rows_are_for_those_without_their_own(tmp_path: Path) -> None:
    data = trees(tmp_path)
    (tmp_path / "wishes.txt").write_text("Tell the leaf\n")
    (one,) = read_requirements(str(tmp_path / "wishes.txt"), data=str(data), target=("bark",))
    assert (one.data_folder, one.data_target) == (str(data), ("bark",))


def test_settings_of_data_are_part_of_the_digest() -> None:
    plain = PipelineSettings()
    assert plain.digest() == PipelineSettings(data={"path": ""}).digest()
    digests = {
        plain.digest(),
        PipelineSettings(data="a.csv").digest(),
        PipelineSettings(data="a.csv", target="y").digest(),
        PipelineSettings(data="a.csv", share_examples=True).digest(),
    }
    assert len(digests) == 4


def test_a_plan_for_other_data_leaves_the_samples_labels_and_loss_together(tmp_path: Path) -> None:
    """ "Flowers" sounds like photos, and the data are a table."""
    data = trees(tmp_path)
    code = main_source(generated(row(data, ("leaf kind",), "Tell the species of iris flowers on photos.")))
    one_hot = "to_categorical" in code
    assert one_hot != ('loss="sparse_categorical_crossentropy"' in code)


def test_several_series_keep_an_output_for_each(tmp_path: Path) -> None:
    lines = [f"2023-{1 + day // 28:02}-{1 + day % 28:02},{day % 7}.5,{day % 5}.25,{day}" for day in range(120)]
    (tmp_path / "s.csv").write_text("day,a,b,c\n" + "\n".join(lines) + "\n")
    code = main_source(generated(row(tmp_path / "s.csv", ("a", "b"), "Forecast the next value with an LSTM.")))
    assert constant(code, "TARGETS") == ["a", "b"]
    assert (
        "layers.Dense(HORIZON * NUM_TARGETS)" in code or "layers.Dense(NUM_TARGETS)" in code
    )  # at once, or step by step
