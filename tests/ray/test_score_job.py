"""`dlcodegen score`: runs measured and compared on Ray, resumable, and no row that ends it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from jobs.generate import main as generate
from jobs.generation.settings import GenerateConfig
from jobs.judge import JudgeConfig
from jobs.judge import main as judge
from jobs.score_runs import ScoreConfig, Scoring, main
from jobs.scoring.judging.tables import judge_tables
from jobs.scoring.tables import category_table, scoring_tables
from pipeline.config import PlannerSettings
from pipeline.errors import DLCodeGenError
from pipeline.measures.codebleu.codebleu import code_bleu
from pipeline.measures.delivery.not_done import without_list
from pipeline.measures.project_scores import main_source
from pipeline.starter import sample_rows

pytestmark = pytest.mark.ray

NEW_REFERENCE = "import keras\n\nmodel = keras.Sequential([keras.layers.Dense(7)])\nmodel.compile('adam', 'mse')\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The same six rows by two settings and one of them with another seed: four are the bundled pool's own, one is new
    with a reference and one without."""
    folder = tmp_path_factory.mktemp("runs")
    rows: list[dict[str, object]] = [
        {"id": row["id"], "requirement": row["User Requirement"], "reference": code}
        for row, code in list(sample_rows())[:4]
    ]
    rows.append({"id": "new", "requirement": "Tell seven kinds of owls apart by photo.", "reference": NEW_REFERENCE})
    rows.append({"id": "open", "requirement": "Predict tomorrow's tide from pressure and moon phase."})
    source = folder / "rows.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    found = []
    for name, neighbours, seed in (("a-1", 12, 1), ("a-2", 12, 2), ("b", 3, 1)):
        config = GenerateConfig(
            input=str(source),
            out=str(folder / name),
            seed=seed,
            pool="starter40",
            planner=PlannerSettings(neighbours=neighbours),
            quiet=True,
        )
        generate(config)
        found.append(str(folder / name))
    return found


@pytest.fixture(scope="module")
def scored(runs: list[str], tmp_path_factory: pytest.TempPathFactory) -> Scoring:
    return main(ScoreConfig(runs=tuple(runs), out=str(tmp_path_factory.mktemp("scores")), seeds=2, quiet=True))


def test_values_are_those_of_the_plain_function(runs: list[str], scored: Scoring) -> None:
    values = {item.id: item.codebleu for item in scored.tables.items if (item.method, item.protocol) == ("a-1", "raw")}
    for record in scored.runs[0].records():
        if record.reference:
            expected = code_bleu(without_list(main_source(record)), record.reference)
            assert expected is not None
            assert values[record.id] == 100 * expected.codebleu
        else:
            assert values[record.id] is None


def test_denominators(scored: Scoring) -> None:
    for row in scored.tables.methods:
        if row.subset != "all":
            assert (row.asked, row.contaminated) == (2 if row.table == "Runs" else 1, 0)
        elif row.table == "Runs":
            assert (row.asked, row.generated, row.scored) == (6, 6, 5)
            assert (row.method_failures, row.machinery_failures) == (0, 0)
            assert row.contaminated == 4  # the pool holds these references
        else:
            assert row.asked == 5


def test_values_without_the_contaminated_items(scored: Scoring) -> None:
    rows = {row.method: row for row in scored.tables.rows if (row.protocol, row.subset) == ("raw", "not contaminated")}
    assert (rows["b"].asked, rows["b"].measured) == (2, 1)
    new = next(row for row in scored.tables.items if (row.method, row.protocol, row.id) == ("b", "raw", "new"))
    assert rows["b"].codebleu == new.codebleu


def test_seeds_get_their_mean_beside_them(scored: Scoring) -> None:
    rows = {row.method: row for row in scored.tables.rows if (row.protocol, row.subset) == ("raw", "all")}
    mean = rows["a (mean of 2 seeds)"]
    assert mean.seeds == 2
    assert mean.codebleu == pytest.approx((rows["a-1"].codebleu + rows["a-2"].codebleu) / 2)
    assert mean.standard_error == 0.0  # nothing in the symbolic writer is random
    assert {"b", "copy of the retrieved sample", "best sample, in hindsight"} <= set(rows)


def test_seeds_are_compared_as_one_method(scored: Scoring) -> None:
    compared = [row for row in scored.tables.comparisons if row.table == "Runs"]
    assert {(row.method, row.against) for row in compared} == {("b", "a (mean of 2 seeds)")}
    assert {row.items for row in compared if row.measure == "CodeBLEU" and row.subset == "all"} == {5}
    random = [row for row in scored.tables.comparisons if row.method.startswith("random")]
    assert {row.method for row in random} == {"random sample of the category"}


def test_everything_is_written_and_printed(scored: Scoring) -> None:
    for name in ("methods", "code", "items", "comparisons"):
        rows = pq.read_table(Path(scored.out, f"{name}.parquet")).num_rows
        assert rows == pacsv.read_csv(Path(scored.out, f"{name}.csv")).num_rows > 0
    assert set(json.loads(Path(scored.out, "manifest.json").read_text())["runs"]) == {"a-1", "a-2", "b"}
    page = Path(scored.out, "report.html").read_text()
    assert "copy of the retrieved sample" in page
    assert page.count('type="application/json"') == 6
    assert len(list(scoring_tables(scored.tables))) == 6  # over all items, and over the clean ones
    name = scored.runs[0].name
    assert category_table(name, scored.tables.measured[name]).row_count >= 2


def test_a_second_call_reads_what_the_first_one_measured(runs: list[str], scored: Scoring) -> None:
    work = Path(scored.out, "work")
    before = {path.name: path.stat().st_mtime_ns for path in work.iterdir()}
    again = main(ScoreConfig(runs=tuple(runs), out=scored.out, seeds=2, quiet=True))
    assert {path.name: path.stat().st_mtime_ns for path in work.iterdir()} == before
    assert again.tables.rows == scored.tables.rows


def test_mistakes_are_named(runs: list[str], tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="no run there"):
        main(ScoreConfig(runs=(str(tmp_path),), out=str(tmp_path / "out")))
    with pytest.raises(DLCodeGenError, match="none of the runs"):
        main(ScoreConfig(runs=tuple(runs), out=str(tmp_path / "out"), against="c"))
    with pytest.raises(DLCodeGenError, match="named twice"):
        main(ScoreConfig(runs=(runs[0], runs[0] + "/"), out=str(tmp_path / "out")))


def test_runs_are_judged(runs: list[str], tmp_path: Path) -> None:
    config = JudgeConfig(
        runs=tuple(runs),
        out=str(tmp_path / "judged"),
        llm="scripted",
        model="tests.ray.judge_scripts:thorough",
        samples=2,
    )
    found = judge(config)
    compliance = {row.method: row for row in found.rows if (row.aspect, row.subset) == ("compliance", "all")}
    clean = {row.method: row for row in found.rows if (row.aspect, row.subset) == ("compliance", "not contaminated")}
    assert (clean["b"].asked, clean["b"].judged) == (2, 1)
    assert (compliance["b"].mean, compliance["b"].asked, compliance["b"].judged) == (8.0, 6, 5)
    assert compliance["b"].failures == 2  # both samples of the question it does not answer
    preferred = {(row.method, row.aspect): row for row in found.preferences if row.subset == "all"}
    page = (tmp_path / "judged" / "report.html").read_text()
    assert page.count('type="application/json"') == 6
    assert "judges its own family was not checked" in page
    assert preferred["a-2", "compliance"].preferred == 50.0  # the same projects
    assert preferred["a-2", "idiomaticity"].steady == 0.0
    assert preferred["a-2", "idiomaticity"].first_place == 100.0
    assert any("family" in warning for warning in found.warnings)
    for name in ("judged", "judgements", "preferred", "preferences", "judged_comparisons"):
        assert pacsv.read_csv(tmp_path / "judged" / f"{name}.csv").num_rows > 0
    assert next(table.row_count for table in judge_tables(found)) == 3
    with pytest.raises(DLCodeGenError, match="a judge is a language model"):
        judge(JudgeConfig(runs=tuple(runs), out=str(tmp_path / "no")))
