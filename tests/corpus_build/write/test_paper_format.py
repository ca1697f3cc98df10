"""The paper's text formats, written here and read by `pipeline.inputs.artifact`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpus_build.divide.split import POOL, TRAIN
from corpus_build.store import CorpusStore
from corpus_build.write.datasets import read_dataset
from corpus_build.write.paper_format import DIVIDER, code_blocks
from corpus_build.write.review import read_approvals
from jobs.cli import app
from jobs.corpora.settings import CorpusConfig
from jobs.corpus import main
from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import read_benchmark, read_blocks, read_plans
from tests.corpus_build.notebooks import small_corpus, write
from tests.corpus_build.test_build import SPLIT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper")
    write(folder / "in", small_corpus())
    main(CorpusConfig(input=str(folder / "in"), out=str(folder / "out"), quiet=True, split=SPLIT))
    return folder / "out"


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["corpus", *arguments])
    return result.exit_code, result.output


def test_an_export_reads_as_the_artifact_does(built: Path, tmp_path: Path) -> None:
    assert call("export", str(built), "--out", str(tmp_path))[0] == 0
    train = list(read_dataset(CorpusStore(str(built)), TRAIN))
    plans = read_plans(str(tmp_path / "Datasets/DLPlanData/Train.txt"))
    assert [(row.requirement, row.plan) for row in plans.plans] == [(row.requirement, row.plan) for row in train]
    assert plans.unreadable == ()
    requirements = list(read_benchmark(str(tmp_path)))
    assert all(row.reference for row in requirements)
    samples = read_blocks(str(tmp_path / "Datasets/DLSamplePool/Samples.txt"))
    assert samples == [row.code.strip("\n") for row in read_dataset(CorpusStore(str(built)), POOL)]


def test_a_divider_in_code_divides_nothing() -> None:
    blocks = list(code_blocks([f"a = 1\n{DIVIDER}\nb = 2", "c = 3"]))
    assert blocks == [f"a = 1\n{DIVIDER}-\nb = 2", DIVIDER, "c = 3"]


def test_only_approved_rows_enter_the_pool(built: Path, tmp_path: Path) -> None:
    status, printed = call("review", str(built))
    assert status == 0
    html, sheet = map(Path, printed.split())
    assert "Save as CSV" in html.read_text()
    before = [row.id for row in read_dataset(CorpusStore(str(built)), POOL)]
    lines = sheet.read_text("utf-8-sig").splitlines()
    assert sorted(line.split(",")[0] for line in lines[1:]) == before
    decided = [lines[0], *(line.replace(",,", ",yes,", 1) if n < 2 else line for n, line in enumerate(lines[1:]))]
    taken = tmp_path / "sheet.csv"
    taken.write_text("\n".join(decided), "utf-8-sig")
    assert call("review", str(built), "--take", str(taken))[0] == 0
    store = CorpusStore(str(built))
    assert {row.id for row in read_dataset(store, POOL)} == read_approvals(str(taken))
    assert call("audit", str(built))[0] == 0
    assert call("stats", str(built))[0] == 0
    assert (built / "stats.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2", "no column approved and id"), ("id,approved\nx,perhaps", "line 2: 'perhaps' is neither yes nor no")],
)
def test_a_sheet_that_cannot_be_read_says_where(tmp_path: Path, text: str, message: str) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(text)
    with pytest.raises(DLCodeGenError, match=message):
        read_approvals(str(sheet))


def test_semicolons_and_other_words_for_yes_are_read(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id;approved\na;X\nb;no\nc;TRUE\nd;\n")
    assert read_approvals(str(sheet)) == {"a", "c"}


def continue_code(request: object) -> str:
    return "x = 1"


def test_exposure_is_asked_of_every_reference(built: Path) -> None:
    model = f"{__name__}:continue_code"
    status, output = call("exposure", str(built), "llm=scripted", f"model={model}")
    assert status == 0
    count = sum(1 for _ in read_dataset(CorpusStore(str(built)), "DLCodeEval"))
    assert f"0 of {count} look exposed, 0 calls failed" in output
    assert (built / "exposure.parquet").exists()


def test_a_leak_ends_the_audit_with_code_1_and_names_the_rows(built: Path) -> None:
    from corpus_build.records import CodeEvalRow, PlanDataRow
    from corpus_build.store import record_writer
    from corpus_build.write.datasets import SET_FILES

    store = CorpusStore(str(built))
    stolen: CodeEvalRow = next(iter(read_dataset(store, "DLCodeEval")))
    train: list[PlanDataRow] = list(read_dataset(store, TRAIN))
    values = {name: getattr(train[0], name) for name in PlanDataRow.__dataclass_fields__}
    planted = PlanDataRow(**(values | {"requirement": stolen.requirement.lower()}))
    with record_writer(store.path(SET_FILES[TRAIN]), PlanDataRow) as writer:
        for row in [planted, *train[1:]]:
            writer.add(row)
    status, output = call("audit", str(built))
    assert status == 1
    assert f"{stolen.id} (DLCodeEval) and {planted.id} (DLPlanData/train): same requirement" in output
