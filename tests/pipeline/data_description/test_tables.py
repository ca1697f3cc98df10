"""Tables as people have them: what is said of their columns, their target and their file."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data_description.describe import describe
from pipeline.data_description.description import DataDescription
from pipeline.errors import DLCodeGenError
from pipeline.plan.dataset_facts import read_facts
from pipeline.request.data_contract import Column, DataTarget, TableFormat

CHANCE = random.Random(7)


def houses(rows: int = 120, *, header: bool = True) -> list[list[str]]:
    """House prices: numbers, a code, a flag, a price, and now and then no year."""
    table = [["sqft", "bedrooms", "zipcode", "garage", "year_built", "price"]] if header else []
    for row in range(rows):
        year = "" if row % 10 == 0 else str(1900 + 7 * row % 120)
        zipcode = f"{10115 + row % 12}"
        cells = [f"{50 + 1.5 * row:.1f}", str(1 + row % 5), zipcode, "yes" if row % 3 else "no", year]
        table.append([*cells, f"{100_000 + 1234.5 * row:.2f}"])
    return table


def write(path: Path, table: list[list[str]], separator: str = ",", encoding: str = "utf-8") -> Path:
    path.write_bytes("".join(separator.join(row) + "\n" for row in table).encode(encoding))
    return path


def columns(description: DataDescription) -> dict[str, Column]:
    assert description.contract is not None
    return {column.name: column for column in description.contract.inputs[0].columns}


def target(description: DataDescription) -> DataTarget:
    assert description.contract is not None
    (only,) = description.contract.targets
    return only


def table_format(description: DataDescription) -> TableFormat:
    assert description.contract is not None
    assert description.contract.inputs[0].format is not None
    return description.contract.inputs[0].format


def test_columns_have_kinds_missing_values_and_counts(tmp_path: Path) -> None:
    description = describe(str(write(tmp_path / "house.csv", houses())))
    found = columns(description)
    assert {name: column.kind for name, column in found.items()} == {
        "sqft": "number",
        "bedrooms": "number",
        "zipcode": "category",
        "garage": "flag",
        "year_built": "number",
        "price": "number",
    }
    assert found["year_built"].missing == pytest.approx(0.1)
    assert found["zipcode"].distinct == 12
    assert target(description) == DataTarget(name="price", kind="number", path="house.csv")
    assert description.attributes.startswith("CSV file house.csv with 120 rows and 5 input columns: 3 numeric (sqft,")
    assert "1 categorical (zipcode: 12 values)" in description.attributes
    assert "year_built 10%" in description.attributes
    # What a planner reads from the words is what the contract says.
    assert read_facts(description.attributes).features == 5
    assert description.contract is not None
    assert description.contract.inputs[0].shape == (5,)


def test_no_cell_stands_in_the_description(tmp_path: Path) -> None:
    table = [["name", "email", "amount", "label"]]
    for row in range(60):
        table.append([f"Anna{row} Secret{row}", f"a{row}@secret.example", f"{row}.77", "ham" if row % 2 else "spam"])
    description = describe(str(write(tmp_path / "people.csv", table)))
    assert "ecret" not in str(description.as_json())
    assert ".77" not in str(description.as_json())
    assert target(description).class_names == ("ham", "spam")


@pytest.mark.parametrize(
    ("separator", "encoding", "decimal"),
    [(";", "cp1252", ","), ("\t", "utf-16", "."), ("|", "utf-8-sig", "."), (";", "utf-8", ".")],
)
def test_separators_encodings_and_decimal_signs(tmp_path: Path, separator: str, encoding: str, decimal: str) -> None:
    table = [[*row] for row in houses()]
    table[0][0] = "größe"
    table = [table[0], *([cell.replace(".", decimal) for cell in row] for row in table[1:])]
    description = describe(str(write(tmp_path / "häuser.csv", table, separator, encoding)))
    found = table_format(description)
    assert (found.separator, found.encoding, found.decimal) == (separator, encoding, decimal)
    assert columns(description)["größe"].kind == "number"
    assert columns(description)["price"].kind == "number"


def test_a_table_without_header_has_columns_by_position(tmp_path: Path) -> None:
    description = describe(str(write(tmp_path / "house.csv", houses(header=False))))
    assert list(columns(description)) == ["0", "1", "2", "3", "4", "5"]
    assert not table_format(description).header
    assert "No header line" in description.attributes


def test_texts_without_header_are_not_taken_for_names(tmp_path: Path) -> None:
    rows = [["ham", f"see you at {hour} then, I bring the bread"] for hour in range(50)]
    rows[::3] = [["spam", f"you won {hour} prizes call now to claim"] for hour in range(len(rows[::3]))]
    description = describe(str(write(tmp_path / "SMSCollection.txt", rows, "\t")))
    assert not table_format(description).header
    assert "see you" not in str(description.as_json())


def test_title_lines_index_columns_and_row_names(tmp_path: Path) -> None:
    table = [["", *houses()[0]], *([str(number), *row] for number, row in enumerate(houses()[1:]))]
    file = write(tmp_path / "export.csv", table)
    file.write_text("Report of the town\n\nas of today\n" + file.read_text())
    description = describe(str(file))
    assert table_format(description).skipped_lines == 3
    assert columns(description)["Unnamed: 0"].role == "id"
    assert target(description).name == "price"


def test_a_first_line_of_counts_names_the_classes(tmp_path: Path) -> None:
    rows = [[f"{row}.5", f"{row % 7}.1", str(row % 3)] for row in range(90)]
    description = describe(str(write(tmp_path / "flowers.csv", [["90", "2", "rose", "tulip", "daisy"], *rows])))
    assert target(description).class_names == ("rose", "tulip", "daisy")
    assert columns(description)["0"].kind == "number"


def test_what_several_readers_see_in_one_cell(tmp_path: Path) -> None:
    """Codes with zeros in front, thousands, dates, tags in a cell, and a value that is no number."""
    table = [["code", "sales", "day", "genres", "size"]]
    for row in range(100):
        genres = "|".join(sorted(CHANCE.sample(["drama", "comedy", "war", "crime"], 2)))
        size = "n. a." if row == 3 else f"{row}.5"
        table.append([f"{row % 20:05d}", f'"{row + 1},000"', f"{1 + row % 28}/{1 + row % 12}/2020", genres, size])
    description = describe(str(write(tmp_path / "films.csv", table)), target="genres")
    found = columns(description)
    assert (found["code"].kind, found["sales"].kind, found["day"].kind) == ("category", "number", "date")
    assert table_format(description).thousands == ","
    assert target(description).kind == "labels"
    assert target(description).classes == 4
    assert any("column size" in note for note in description.notes)


def test_pixels_in_columns(tmp_path: Path) -> None:
    table = [["label", *(f"pixel{number}" for number in range(784))]]
    for row in range(40):
        pixels = ["0"] * 100 + [str(CHANCE.randrange(256)) for _ in range(684)]
        table.append([str(row % 4), *pixels])
    description = describe(str(write(tmp_path / "digits.csv", table)))
    assert description.contract is not None
    assert description.contract.inputs[0].shape == (784,)
    facts = read_facts(description.attributes)
    assert (facts.height, facts.width, facts.classes) == (28, 28, 4)


def series(days: int = 200, columns: int = 1, *, step: int = 1) -> list[list[str]]:
    from datetime import date, timedelta

    table = [["Date", *(f"sensor{number}" for number in range(columns))]]
    for day in range(days):
        when = date(2020, 1, 1) + timedelta(days=day * step)
        table.append([when.isoformat(), *(f"{CHANCE.random():.4f}" for _ in range(columns))])
    return table


def test_a_date_and_one_number_are_a_series(tmp_path: Path) -> None:
    description = describe(str(write(tmp_path / "visits.csv", series())))
    assert description.contract is not None
    assert description.contract.inputs[0].kind == "series"
    assert description.contract.inputs[0].shape == (None, 1)
    assert columns(description)["Date"].role == "time"
    assert (target(description).name, target(description).kind) == ("sensor0", "number")
    assert "one per day (column Date)" in description.attributes


def test_of_several_series_none_is_chosen(tmp_path: Path) -> None:
    description = describe(str(write(tmp_path / "visits.csv", series(columns=3, step=7))))
    assert "one per week" in description.attributes
    assert description.contract is not None
    assert description.contract.targets == ()
    assert "target: not known" in description.attributes
    assert any("--target" in note for note in description.notes)
    chosen = describe(str(tmp_path / "visits.csv"), target=["sensor0", "sensor2"])
    assert chosen.contract is not None
    assert [one.name for one in chosen.contract.targets] == ["sensor0", "sensor2"]
    assert chosen.contract.inputs[0].shape == (None, 3)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("a", "target", "b"), "target"),
        (("a", "b", "Label"), "Label"),
        (("survived", "class", "b"), None),
        (("income", "a", "b"), None),
        (("x", "y", "z"), None),
        (("target_1", "target_2", "b"), "target_1"),
    ],
)
def test_the_target_by_its_name(tmp_path: Path, names: tuple[str, ...], chosen: str | None) -> None:
    rows = [[f"{CHANCE.random():.3f}" for _ in names] for _ in range(50)]
    if "class" in names:
        rows = [[str(number % 2), str(number % 3), f"{number}.5"] for number in range(50)]
    description = describe(str(write(tmp_path / "t.csv", [list(names), *rows])))
    assert description.contract is not None
    found = [target.name for target in description.contract.targets]
    assert found[:1] == ([chosen] if chosen else [])
    assert bool(description.target_rule) == bool(chosen)


def test_a_guess_says_that_it_is_one(tmp_path: Path) -> None:
    rows = [[f"{row}.1", ("red", "green", "blue")[row % 3]] for row in range(60)]
    description = describe(str(write(tmp_path / "t.csv", [["size", "tint"], *rows])))
    assert "target tint (a guess): 3 classes (blue, green, red)" in description.attributes
    assert description.target_rule.startswith("a guess")


def test_train_and_test_tables_and_a_sample_submission(tmp_path: Path) -> None:
    table = [["Id", *houses()[0]], *([str(1000 + number), *row] for number, row in enumerate(houses()[1:]))]
    table[0][-1] = "worth"
    write(tmp_path / "train.csv", table)
    write(tmp_path / "test.csv", [row[:-1] for row in table[:31]])
    write(tmp_path / "sample_submission.csv", [["Id", "worth"], *([row[0], "0"] for row in table[1:31])])
    description = describe(str(tmp_path))
    assert description.contract is not None
    assert target(description).name == "worth"
    assert description.target_rule == "the test's table lacks it"
    assert description.contract.unlabelled == "test.csv"
    assert description.contract.writes[0].columns == ("Id", "worth")
    assert "test.csv has 30 rows without target" in description.attributes


def test_a_test_table_with_targets_is_held_out(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", houses())
    write(tmp_path / "test.csv", houses(30))
    contract = describe(str(tmp_path)).contract
    assert contract is not None
    assert (contract.held_out, contract.unlabelled) == ("test.csv", "")


def test_inputs_and_targets_in_two_tables(tmp_path: Path) -> None:
    write(tmp_path / "X.csv", [row[:-1] for row in houses()])
    write(tmp_path / "y.csv", [[row[-1]] for row in houses()])
    description = describe(str(tmp_path))
    assert target(description) == DataTarget(name="price", kind="number", path="y.csv")
    for name in ("X", "y"):
        (tmp_path / f"{name}.csv").rename(tmp_path / f"{name}_train.csv")
    write(tmp_path / "X_test.csv", [row[:-1] for row in houses(20)])
    description = describe(str(tmp_path))
    assert description.contract is not None
    assert description.contract.unlabelled == "X_test.csv"


def test_tables_that_do_not_belong_together_have_no_contract(tmp_path: Path) -> None:
    write(tmp_path / "houses.csv", houses())
    write(tmp_path / "visits.csv", series())
    description = describe(str(tmp_path))
    assert description.contract is None
    assert "houses.csv" in description.attributes
    assert "visits.csv" in description.attributes


def test_a_table_of_texts(tmp_path: Path) -> None:
    rows = [[f"the food was fine and I came {row} times with friends", str(row % 2)] for row in range(80)]
    description = describe(str(write(tmp_path / "reviews.csv", [["review", "sentiment"], *rows])))
    assert description.contract is not None
    assert [data.kind for data in description.contract.inputs] == ["text"]
    assert target(description).classes == 2


def test_a_text_beside_a_column_of_few_values(tmp_path: Path) -> None:
    """As the file of text messages is that everybody has: Windows-1252, empty columns at the end."""
    rows = [
        ["spam" if row % 4 == 0 else "ham", f"I owe you {row} £ so see you at the party", "", ""] for row in range(80)
    ]
    description = describe(str(write(tmp_path / "spam.csv", [["v1", "v2", "", ""], *rows], encoding="cp1252")))
    assert description.contract is not None
    assert [data.name for data in description.contract.inputs] == ["v2"]
    assert target(description).class_names == ("ham", "spam")
    assert description.target_rule.startswith("a guess")
    assert any("not UTF-8" in note for note in description.notes)


def test_sentences_in_pairs_are_inputs_of_text(tmp_path: Path) -> None:
    description = describe(
        str(write(tmp_path / "pairs.txt", [[f"Go {row}.", f"Va {row} !"] for row in range(40)], "\t"))
    )
    assert description.contract is not None
    assert [data.kind for data in description.contract.inputs] == ["text", "text"]


def test_commas_before_blanks_in_a_table_without_header(tmp_path: Path) -> None:
    rows = [[str(20 + row), " Private", f" {row % 5}", " ?" if row == 7 else " Peru", f" {'<=' if row % 3 else '>'}50K"]
            for row in range(60)]  # fmt: skip
    description = describe(str(write(tmp_path / "adult.data", rows)))
    assert target(description).class_names == ("<=50K", ">50K")
    assert 0 < columns(description)["3"].missing < 0.1


def test_ratings_of_items_by_users(tmp_path: Path) -> None:
    rows = [[str(row % 9), str(row % 31), str(1 + row % 5), str(964982703 + row)] for row in range(200)]
    description = describe(str(write(tmp_path / "ratings.csv", [["userId", "movieId", "rating", "timestamp"], *rows])))
    assert target(description).name == "rating"
    assert columns(description)["userId"].kind == "category"
    assert columns(description)["movieId"].distinct == 31


def test_date_and_time_of_day_in_two_columns(tmp_path: Path) -> None:
    rows = [[f"{10 + row // 24}/03/2004", f"{row % 24:02d}.00.00", f"{row % 7},5", ""] for row in range(200)]
    description = describe(str(write(tmp_path / "air.csv", [["Date", "Time", "CO", ""], *rows], ";")))
    assert "one per hour (columns Date, Time)" in description.attributes
    assert target(description).name == "CO"


def test_rows_of_several_series_are_no_series(tmp_path: Path) -> None:
    rows = [[str(shop), f"2020-01-{day:02d}", str(CHANCE.random())] for shop in range(4) for day in range(1, 29)]
    description = describe(str(write(tmp_path / "shops.csv", [["shop", "date", "sales"], *rows])))
    assert description.contract is not None
    assert description.contract.inputs[0].kind == "table"
    assert any("dates in column date repeat" in note for note in description.notes)


def test_several_flags_that_the_test_lacks_are_labels(tmp_path: Path) -> None:
    names = ["id", "comment", "rude", "threat", "insult"]
    rows = [[f"c{row}", f"a comment about the thing {row}", str(row % 2), str(row % 3 % 2), "0"] for row in range(60)]
    rows[0][-1] = "1"
    write(tmp_path / "train.csv", [names, *rows])
    write(tmp_path / "test.csv", [row[:2] for row in [names, *rows]])
    assert target(describe(str(tmp_path))) == DataTarget(
        name="labels", kind="labels", path="train.csv", classes=3, class_names=("rude", "threat", "insult")
    )


def test_words_with_a_tag_each(tmp_path: Path) -> None:
    rows = [[f"Sentence: {row}" if row % 8 == 0 else "", "Paris", ("O", "B-geo")[row % 2]] for row in range(80)]
    rows[3][1] = "in"
    description = describe(str(write(tmp_path / "ner.csv", [["Sentence #", "Word", "Tag"], *rows])))
    assert (target(description).kind, target(description).classes) == ("tags", 2)


def test_one_table_in_several_files(tmp_path: Path) -> None:
    for month in ("01", "02", "03"):
        write(tmp_path / f"2020-{month}.csv", houses(20))
    description = describe(str(tmp_path))
    assert description.contract is not None
    assert (description.contract.inputs[0].path, description.contract.examples) == ("*.csv", 60)
    assert any("taken as one table" in note for note in description.notes)


def test_parquet_and_compressed_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1.5, 2.5, None] * 9, "label": ["x", "y", "z"] * 9}), tmp_path / "t.parquet")
    description = describe(str(tmp_path / "t.parquet"))
    assert description.attributes.startswith("Parquet file t.parquet with 27 rows")
    assert target(description).class_names == ("x", "y", "z")
    plain = write(tmp_path / "house.csv", houses())
    (tmp_path / "house.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert columns(describe(str(tmp_path / "house.csv.gz"))) == columns(describe(str(plain)))


def test_excel(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in houses():
        book.active.append([float(cell) if cell.replace(".", "").isdecimal() else cell for cell in row])
    book.create_sheet("notes")
    book.save(tmp_path / "house.xlsx")
    description = describe(str(tmp_path / "house.xlsx"))
    assert description.attributes.startswith("Excel file house.xlsx with 120 rows and 5 input columns")
    assert table_format(description).sheet == "Sheet"
    (tmp_path / "torn.xlsx").write_bytes((tmp_path / "house.xlsx").read_bytes()[:2000])
    with pytest.raises(DLCodeGenError, match=r"torn\.xlsx: not a whole Excel file"):
        describe(str(tmp_path / "torn.xlsx"))


def test_an_excel_sheet_without_header_below_a_title(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Readings of the year"])
    book.active.append([])
    for row in range(30):
        book.active.append([row / 4, "secret" if row == 0 else f"place {row % 3}", row % 2])
    book.save(tmp_path / "readings.xlsx")
    description = describe(str(tmp_path / "readings.xlsx"))
    assert list(columns(description)) == ["0", "1", "2"]
    assert (table_format(description).header, table_format(description).skipped_lines) == (False, 2)
    assert "30 rows" in description.attributes
    assert "secret" not in str(description.as_json())


def test_values_that_hardly_repeat_are_no_classes(tmp_path: Path) -> None:
    rows = [[f"{row}.5", f"anna{row % 50}@mail.example"] for row in range(80)]
    file = write(tmp_path / "people.csv", [["amount", "contact"], *rows])
    assert target(describe(str(file), target="contact")).kind == "text"
    assert "@" not in str(describe(str(file), target="contact").as_json())


def test_broken_rows_are_counted(tmp_path: Path) -> None:
    table = houses()
    table[50] = table[50][:3]
    table[60] = [*table[60], "more"]
    description = describe(str(write(tmp_path / "house.csv", table)))
    assert any("2 rows" in note for note in description.notes)


def test_an_open_quote_does_not_swallow_the_table(tmp_path: Path) -> None:
    table = houses()
    table[5][2] = '"10115'
    description = describe(str(write(tmp_path / "house.csv", table)))
    assert "with 120 rows" in description.attributes
    assert table_format(description).quote == ""


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".csv", b""),
        (".csv", b"\0\1\2\3" * 50),
        (".csv.gz", b"\x1f\x8b and no more"),
        (".csv.xz", b"PAR1 and no more"),
        (".parquet", b""),
        (".parquet", b"PAR1 and no more"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, ending: str, content: bytes) -> None:
    file = tmp_path / f"t{ending}"
    file.write_bytes(content)
    with pytest.raises(DLCodeGenError, match=f"t{ending}: ") as refused:
        describe(str(file))
    assert "\n" not in str(refused.value)


def test_a_target_that_is_no_column(tmp_path: Path) -> None:
    write(tmp_path / "house.csv", houses())
    with pytest.raises(DLCodeGenError, match="no column 'prize' for the target; there are sqft"):
        describe(str(tmp_path / "house.csv"), target="prize")
    assert target(describe(str(tmp_path / "house.csv"), target="Price")).name == "price"


def test_wide_tables_end(tmp_path: Path) -> None:
    write(tmp_path / "genes.csv", [[f"{number}.5" for number in range(12_000)] for _ in range(3)])
    description = describe(str(tmp_path / "genes.csv"))
    assert any("10,000 columns" in note for note in description.notes)


def test_large_files_are_sampled_over_their_length(tmp_path: Path) -> None:
    """A file sorted by its class shows all classes, though only a part of it is read."""
    file = tmp_path / "sorted.csv"
    rows, text = 300_000, "a longer text, " * 20
    with file.open("w") as stream:
        stream.write("reading,unit,label\n")
        for label in range(5):
            stream.writelines(f'{row}.25,"{text}",{label}\n' for row in range(rows // 5))
    description = describe(str(file))
    assert target(description).classes == 5
    assert "about 300,000 rows" in description.attributes
    assert any("is large" in note for note in description.notes)
    assert describe(str(file)) == description


def test_several_flags_beside_a_text_are_labels_unless_one_is_called_so(tmp_path: Path) -> None:
    rows = [[f"comment number {n} of many", str(n % 2), str(n % 3 % 2), str(n % 5 % 2)] for n in range(60)]
    described = describe(str(write(tmp_path / "a.csv", [["text", "toxic", "threat", "insult"], *rows])))
    assert (target(described).kind, target(described).class_names) == ("labels", ("toxic", "threat", "insult"))
    described = describe(str(write(tmp_path / "b.csv", [["text", "label", "is_reply", "has_link"], *rows])))
    assert (target(described).kind, target(described).name) == ("class", "label")


def test_numbers_of_rows_and_hours_in_iso_8601(tmp_path: Path) -> None:
    rows = [[str(1000 + n), f"2024-01-{1 + n // 24:02}T{n % 24:02}", str(n % 7 + 0.5)] for n in range(72)]
    found = columns(describe(str(write(tmp_path / "a.csv", [["Kunden-Nr", "zeit", "menge"], *rows]))))
    assert found["Kunden-Nr"].role == "id"
    assert found["zeit"].kind == "date"


def test_a_table_of_an_open_quote_and_blanks_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('"' + " " * 1_000)
    assert describe(str(tmp_path / "train.csv")).contract.inputs[0].kind == "text"
