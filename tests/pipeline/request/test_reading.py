"""Requests read by rules: the labelled sets, negation, numbers, other languages, and any text at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.request import score
from pipeline.request.constraints import Constraint
from pipeline.request.known_datasets import known_dataset, known_datasets
from pipeline.request.language import language_of
from pipeline.request.reading.reader import read_constraints
from pipeline.request.terms.table import table
from pipeline.request.terms.typos import mended
from tests.awkward_texts import awkward_texts
from tests.pipeline.request.labelled import read_labels

LABELS = Path(__file__).parent / "labels"


def read(text: str) -> set[str]:
    """The constraints of a text as "name=value", those forbidden with a "!" before."""
    return {f"{'!' * one.negated}{one.name}={one.value}" for one in read_constraints(text)}


@pytest.mark.parametrize(
    ("name", "precision", "recall"),
    [
        ("own.jsonl", 0.98, 0.98),
        ("own2.jsonl", 0.94, 0.92),
        ("own3.jsonl", 0.98, 0.95),
        ("own4.jsonl", 0.95, 0.93),
        ("own5.jsonl", 0.97, 0.94),
        ("own6.jsonl", 0.93, 0.90),
        ("own7.jsonl", 0.94, 0.92),
        ("blind.jsonl", 0.97, 0.95),
        ("blind2.jsonl", 0.94, 0.91),
        ("blind3.jsonl", 0.97, 0.94),
        ("own8.jsonl", 0.92, 0.91),
        ("blind4.jsonl", 0.95, 0.94),
        ("own9.jsonl", 0.95, 0.93),
    ],
)
def test_the_development_sets_are_read_as_well_as_when_the_rules_were_written(
    name: str, precision: float, recall: float
) -> None:
    result = score(read_labels(LABELS / name))
    assert result.precision("all") >= precision
    assert result.recall("all") >= recall


@pytest.mark.parametrize("name", [*(f"own{number}.jsonl" for number in ("", *range(2, 11))), "blind.jsonl"])
def test_labels_stand_in_their_requests(name: str) -> None:
    for request in read_labels(LABELS / name):
        for label in request.labels:
            start, end = label.span(request.requirement)
            assert request.requirement[start:end] == label.words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CNN without dropout", "!dropout=true"),
        ("no augmentation, Adam", "!augmentation=true"),
        ("no augmentation, Adam", "optimizer=adam"),
        ("use SGD, not Adam", "!optimizer=adam"),
        ("do not use any flips or rotations", "!augmentation=rotation"),
        ("GRU instead of LSTM please", "!family=lstm"),
        ("nothing pretrained", "!weights=pretrained"),
        ("early stopping is not needed", "!early_stopping=true"),
        ("no more than 50 epochs", "epochs=50"),
        ("don't forget the dropout", "dropout=true"),
        ("ohne Dropout", "!dropout=true"),
    ],
)
def test_what_is_forbidden_is_told_from_what_is_wanted(text: str, expected: str) -> None:
    assert expected in read(text)


@pytest.mark.parametrize(
    "text",
    [
        "Last year we used an SVM and an LSTM; now classify reviews with a CNN",
        "A colleague tried an LSTM, but I want a CNN for text classification",
    ],
)
def test_what_is_only_mentioned_is_not_asked_for(text: str) -> None:
    found = read(text)
    assert "family=cnn" in found
    assert not any(constraint.endswith("family=lstm") for constraint in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batch size of thirty-two", "batch_size=32"),
        ("learning rate 10^-4", "learning_rate=0.0001"),
        ("Adam at 3e−4", "learning_rate=0.0003"),
        ("dropout of 20 %", "dropout=0.2"),
        ("vocabulary of 20,000 words", "vocabulary=20000"),
        ("vocab 15k", "vocabulary=15000"),
        ("recorded at 16 kHz", "sample_rate=16000"),
        ("Lernrate 0,0005", "learning_rate=0.0005"),
        ("images 480x640x3", "height=480"),
        ("frames of 640x480", "width=640"),
        ("filters 32, 64 and 128", "filters=32,64,128"),
        ("MLP with hidden layers 128/64/32", "hidden_layers=128,64,32"),
        ("classify two hundred and fifty bird species", "count=250"),
    ],
)
def test_numbers_are_read_however_they_are_spelled(text: str, expected: str) -> None:
    assert expected in read(text)


@pytest.mark.parametrize(
    "text",
    [
        "My GPU has 6 GB and the deadline is 12 May 2027",
        "I have 3 colleagues and 2 cats",
        "room 401, 5th floor",
        "3x3 kernels with stride 2",
    ],
)
def test_numbers_that_ask_for_nothing_are_no_sizes(text: str) -> None:
    assert not [constraint for constraint in read_constraints(text) if constraint.aspect in ("size", "classes")]


def test_images_are_height_by_width_but_screens_width_by_height() -> None:
    assert {"height=420", "width=540"} <= read("420x540 grayscale photos")
    assert {"height=480", "width=640"} <= read("webcam frames of 640x480")
    assert {"height=224", "width=200", "channels=3"} <= read("RGB photos, 3x224x200")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clasification of leaf images", "problem=classification"),
        ("a tranformer encoder with 4 heads", "family=transformer"),
        ("optimzer adam, 20 epocs in kears", "framework=tensorflow"),
        ("segmetation of cells", "problem=segmentation"),
    ],
)
def test_slips_of_the_pen_are_read(text: str, expected: str) -> None:
    assert expected in read(text)


@pytest.mark.parametrize(
    "word", ["transactions", "contusion", "variation", "leaned", "reset", "reconstructing", "epoxy"]
)
def test_other_words_are_no_slips(word: str) -> None:
    assert mended(word) == word


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("which of the four strokes (crawl, butterfly, back, breast) is swum in a clip", "crawl butterfly back breast"),
        ("sort mails into billing, sales and spam", "billing sales spam"),
        ("says benign or malignant for each mole photo", "benign malignant"),
        ("Will the guest stay, cancel or rebook?", "stay cancel rebook"),
        ("classify moods happy / sad / calm of songs", "happy sad calm"),
        ("sleep stages W, N1, N2 and REM from an EEG", "w n1 n2 rem"),
    ],
)
def test_classes_are_read_by_name(text: str, names: str) -> None:
    assert {f"name={name}" for name in names.split()} == {one for one in read(text) if one.startswith("name=")}


@pytest.mark.parametrize(
    "text",
    [
        "predict rent from a table with size, rooms, floor -> rent",
        "regression on data.csv (size, rooms, floor, rent), target is rent",
        "predict rent; flats.csv has the columns size, rooms, floor and rent",
    ],
)
def test_the_target_is_told_from_the_other_columns(text: str) -> None:
    found = read(text)
    assert "target=rent" in found
    assert {"column=size", "column=rooms", "column=floor"} <= found
    assert "column=rent" not in found


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("predict who leaves; gym.csv has columns age, plan (basic, plus, premium), visits and left (0/1)", "binary"),
        (
            "churn.csv: tenure, contract (monthly, yearly), region (north/south/east), churn (yes/no). Predict churn",
            "binary",
        ),
        (
            "ill.csv with age, smoker (yes/no), blood (A, B, O), outcome (healed, chronic, died); predict outcome",
            "healed chronic died",
        ),
        ("Estimate rent from area, balcony (yes/no), rooms and heating (gas, oil)", ""),
        ("Predict the price of houses from area, heating (gas, oil, electric), garden (yes/no) and floor", ""),
    ],
)
def test_values_in_brackets_are_classes_only_where_they_are_the_targets(text: str, classes: str) -> None:
    found = read(text)
    names = {one.partition("=")[2] for one in found if one.startswith(("name=", "variant="))}
    assert names == set(classes.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GRU that forecasts the next 24 hours from the last 7 days of hourly readings", "horizon=24 length=168"),
        ("Forecast the load of the next 2 days (hourly) with an LSTM from the last two weeks", "horizon=48 length=336"),
        ("LSTM on the last 24 hours at 15 minutes, predict the next 4 hours", "length=96 horizon=16"),
        ("half-hourly demand, look back 3 days, forecast 1 day", "length=144 horizon=48"),
        ("LSTM on the last 30 days of sales, predict the next 7 days", "length=30 horizon=7"),
        ("hourly load, lookback 168, horizon 24", "length=168 horizon=24"),
        ("daily means of hourly values, the last 7 days", "length=7"),
    ],
)
def test_spans_of_time_are_steps_where_the_rate_is_said(text: str, expected: str) -> None:
    assert {one for one in read(text) if one.startswith(("length=", "horizon="))} == set(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("classify activities from windows of 200 x 3 accelerometer values", "length=200 features=3"),
        ("gesture recognition from 100x6 IMU windows", "length=100 features=6"),
        ("ECG segments of 1000 x 12, classify 5 rhythms", "length=1000 features=12 count=5"),
        ("predict star ratings of readers for books, matrix factorisation with biases", "problem=recommendation"),
        ("matrix factorization with 32 factors", "latent=32"),
        ("transformer encoder with model size 128, feed-forward 256", "embedding=128 feed_forward=256"),
        ("CNN for photos, model size 5 MB", ""),
        ("forecast demand against repeating yesterday's values", "report=baseline"),
    ],
)
def test_sizes_and_problems_by_what_stands_beside_them(text: str, expected: str) -> None:
    found = read(text)
    assert set(expected.split()) <= found
    assert not {one for one in found if one.startswith(("height=", "embedding=5"))}


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("predict taxi fare_amount from pickup_zone, hour and dropoff_zone", "fare_amount"),
        ("forecast the river's level with an LSTM from river.csv with columns level, flow, rain", "level"),
        ("Table ill.csv with age, smoker (yes/no), outcome (healed, died), predict outcome", "outcome"),
        ("Predict the price of houses from area, garden (yes/no) and floor", ""),
    ],
)
def test_no_input_is_taken_for_the_target(text: str, target: str) -> None:
    assert {one.partition("=")[2] for one in read(text) if one.startswith("target=")} == set(target.split())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Will a loan be repaid?", "classification"),
        ("How many loaves will we sell on each of the next 7 days?", "forecasting"),
        ("What will the customer spend next month?", "regression"),
        ("Is this promoter or not", "classification"),
        ("find the odd ones among photos of screws", "anomaly_detection"),
        ("do these two reports describe the same bug? siamese LSTM", "retrieval"),
        ("fill in the gaps of a river's level records", "reconstruction"),
    ],
)
def test_problems_are_told_by_what_is_asked(text: str, problem: str) -> None:
    assert f"problem={problem}" in read(text)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (
            "I have a table of old boats with length, hull, engine_hours, price. Predict price.",
            "length hull engine_hours",
        ),
        ("Predict the stem from leaf_width, leaf_length and colour. MLP", "leaf_width leaf_length colour"),
        (
            "exported as csv (encoding utf-8) with plate, km_total, owner and mot_due; nobody labelled them",
            "plate km_total",
        ),
        ("find odd ones, 10 measurements (x1-x8, speed, load)", "speed load"),
    ],
)
def test_columns_are_read_in_a_sentence(text: str, columns: str) -> None:
    assert {f"column={name}" for name in columns.split()} <= read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("classify shells, and list which shells the network got wrong", "plot=misclassified"),
        ("predict rent; I'd like to know which columns matter most", "plot=feature_importance"),
        ("estimate weight from photos; a plot of predicted weight against the real one", "plot=predictions"),
        ("forecast sales and compare it with a linear regression", "report=baseline"),
        ("GRU that writes haikus, print 6 haikus after training", "samples=6"),
        ("caption photos of birds, show 12 captions", "samples=12"),
    ],
)
def test_what_is_to_be_shown_is_read_in_a_sentence(text: str, expected: str) -> None:
    assert expected in read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We measured 700 bricks. Predict the strength", "examples=700"),
        ("about 1.2k leaflets, sort them by topic", "examples=1200"),
        ("Recommend hikes: 3,400 hikers, 910 hikes", "users=3400"),
        ("Recommend hikes: 3,400 hikers, 910 hikes", "items=910"),
        ("Set aside 15% of the plots for validation", "validation_split=0.15"),
        ("9 thousand leaflets, sort them by topic", "examples=9000"),
        ("hum sampled at sixteen kilohertz", "sample_rate=16000"),
    ],
)
def test_things_are_counted_by_any_noun(text: str, expected: str) -> None:
    assert expected in read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("find chipped plates; autoencoder; we only have photos of good plates", "variant=one_class"),
        ("grade burns from 1 to 5 with an ordinal loss", "count=5"),
        ("les 24 prochaines heures de la consommation", "horizon=24"),
        ("LSTM, 드롭아웃 없이", "!dropout=true"),
        ("共3类：红、绿、蓝，用CNN分类", "name=红"),
        ("| epochs | 70 |", "epochs=70"),
        ("survey.csv: age, loudness 1-10 and income", "column=loudness"),
    ],
)
def test_variants_and_other_scripts_are_read(text: str, expected: str) -> None:
    assert expected in read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In visits.csv we have age, hour, sms_reminder, former_no_shows and no_show (yes/no).", "target=no_show"),
        ("In visits.csv we have age, hour, sms_reminder, former_no_shows and no_show (yes/no).", "column=sms_reminder"),
        ("Predict rentals: hour.csv with season, hr, hum, windspeed and cnt as target.", "target=cnt"),
        ("Classify comments. Columns comment and toxic in train.csv.", "column=toxic"),
        ("Anomalies in server metrics: cpu, memory, disk_io every minute in metrics.csv.", "column=disk_io"),
        ("Predict the rent; the photo's file is in column photo and the rent in column rent.", "target=rent"),
        ("Predict the final grade (G3) from student.csv.", "target=G3"),
        ("Who answers? bank.csv, separated by ;, y is yes/no.", "target=y"),
        ("Who answers? bank.csv, separated by ;, y is yes/no.", "separator=;"),
        ("Predict quality from wine.csv, which uses semicolons.", "separator=;"),
        ("Tell spam. File spam.csv, columns v1 (ham or spam) and v2 (message).", "target=v1"),
        ("Classify x-rays, normal and pneumonia in two folders.", "name=pneumonia"),
        ("SGD 0.1 momentum 0.9 weight decay 5e-4", "momentum=0.9"),
        ("SGD 0.1 momentum 0.9 weight decay 5e-4", "weight_decay=0.0005"),
        ("a small GPT with 4 layers and 4 heads", "encoder_layers=4"),
        ("classify clips, a folder of mp4s per gesture", "format=mp4"),
        ("a GCN for Cora", "dataset=cora"),
    ],
)
def test_everyday_wording_is_read(text: str, expected: str) -> None:
    assert expected in read(text)


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("tags.csv with title, body and tags (separated by semicolons)", "separator=;"),
        ("random crop with padding 4", "length=4"),
        ("write poems; print a sample of 500 characters", "length=500"),
        ("PyTorch please (no torch_geometric)", "!framework=pytorch"),
        ("a file without a header, the last column is the label", "target=column"),
        ("name the drugs in a CoNLL file", "dataset=conll2003"),
        ("train.csv with the target SalePrice, many missing values and text categories", "column=many missing values"),
        ("hour.csv with season, hr, hum, windspeed and cnt as target", "kind=audio"),
    ],
)
def test_everyday_wording_is_not_misread(text: str, stray: str) -> None:
    assert stray not in read(text)


def test_the_longest_spelling_wins() -> None:
    found = read("BiLSTM with 8 attention heads and a ResNet50 backbone, global average pooling")
    assert {"family=bilstm", "heads=8", "backbone=resnet50", "pooling=global_average"} <= found
    assert not found & {"family=lstm", "family=attention", "family=resnet", "pooling=average"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("cnn mnist 5 epochs adam", "en"),
        ("Classify photos of cats with a CNN", "en"),
        ("Ein CNN für die Klassifikation von Fotos mit 5 Klassen", "de"),
        ("Quiero un modelo para clasificar reseñas con BERT", "es"),
        ("Un réseau pour la détection des anomalies dans les images", "fr"),
        ("Quero classificar avaliações com um LSTM", "pt"),
        ("Vorrei una rete per classificare le immagini", "it"),
        ("Bilder von Hunden klassifizieren", "de"),
        ("Katzen und Hunde unterscheiden", "de"),
        ("Clasificar fotos de gatos", "es"),
        ("Classer des photos de chats", "fr"),
        ("Classify photos of dogs with classes a and b", "en"),
        ("fotos classification cnn", "en"),
        ("用 CNN 对 CIFAR-10 图片分类", "zh"),
        ("CNN で犬の画像を分類したい", "ja"),
        ("Классификация изображений с помощью CNN", "ru"),
        ("β-VAE with latent size 8", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_request(text: str, language: str) -> None:
    assert language_of(text) == language


def test_languages_of_the_labelled_requests() -> None:
    requests = [
        request
        for name in ("own.jsonl", "own2.jsonl", "own3.jsonl", "own4.jsonl", "own5.jsonl", "own6.jsonl", "blind2.jsonl")
        for request in read_labels(LABELS / name)
    ]
    wrong = [request.id for request in requests if language_of(request.requirement) != request.language]
    assert not wrong


def test_known_datasets_are_spelled_as_the_reader_gives_them() -> None:
    values = {term.value for terms in table().terms.values() for term in terms if term.name == "dataset"}
    assert set(known_datasets()) <= values
    mnist = known_dataset("mnist")
    assert mnist is not None
    assert (mnist.shape, mnist.classes) == ((28, 28, 1), 10)
    assert known_dataset("nothing_like_it") is None


def _is_valid(constraint: Constraint, text: str) -> bool:
    return 0 <= constraint.start < constraint.end <= len(text) and constraint.words(text).strip() != ""


_WORDS = [spelling for spelling in table().terms if spelling.isascii()]


def test_awkward_texts_are_read() -> None:
    for _, text in awkward_texts(600):
        assert all(_is_valid(constraint, text) for constraint in read_constraints(text))


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert all(_is_valid(constraint, text) for constraint in read_constraints(text))


@given(st.lists(st.sampled_from([*_WORDS, *"( ) [ ] { } , . : ; / - = x 1 2.5 20% 3e-4 64 no and or of with".split()])))
def test_any_words_of_the_tables_are_read(words: list[str]) -> None:
    text = " ".join(words)
    found = read_constraints(text)
    assert all(_is_valid(constraint, text) for constraint in found)
    assert list(found) == sorted(found, key=lambda constraint: (constraint.start, constraint.end))
    assert len({(one.aspect, one.name, one.value, one.subject, one.negated) for one in found}) == len(found)


@pytest.mark.parametrize(
    ("text", "said", "unsaid"),
    [
        ("12 kinds of cars, 416x416 images", "count=12 height=416 width=416", "count=416"),
        ("24 hourly values come in, 6 hourly values should come out", "length=24 horizon=6", ""),
        ("lookback 336, predict 96", "length=336 horizon=96", ""),
        (
            "From the trunk diameter, height and crown width tell which of six species a tree is.",
            "column=trunk diameter column=height column=crown width count=6",
            "name=height",
        ),
        ("Scanned invoices, 11 cost centres", "kind=image count=11", "kind=text"),
        ("Point clouds, one label per point", "problem=segmentation", "problem=classification"),
        ("X.npy has shape (7352, 128, 9)", "examples=7352 length=128 features=9", "height=7352"),
        ("mixed precision off, 20 epochs", "!mixed_precision=true epochs=20", "mixed_precision=true"),
        ("512x512 tiles of the city", "height=512 width=512", ""),
        ("ViT with 16x16 patches of 224x224 photos", "height=224", "height=16"),
        ("R2 on a fifth of the data", "test_split=0.2", ""),
        ("The target is G3; G1 and G2 must not be used.", "target=G3 !column=G1 !column=G2", "column=G1"),
        (
            "write the guesses to guesses.csv with the columns clip and species",
            "predictions_file=guesses.csv",
            "column=clip",
        ),
        ("predicting tomorrow's electricity price", "problem=forecasting", "problem=regression"),
        ("Store sales (store, item, date, units in sales.csv)", "file=sales.csv", "predictions_file=sales.csv"),
        ("12,000 FEM results in beams.parquet", "file=beams.parquet", "predictions_file=beams.parquet"),
        ("one row per patient: age, sex, mobility score, and whether they fell", "column=mobility score", "name=age"),
        ("4x super-resolution with a residual CNN", "problem=super_resolution scale=4 family=cnn family=resnet", ""),
        ("wind direction (sin/cos) as features", "", "name=sin name=cos"),
    ],
)
def test_kinds_that_were_once_misread(text: str, said: str, unsaid: str) -> None:
    constraints = read(text)
    for words, wanted in ((said, True), (unsaid, False)):
        for one in re.findall(r"\S+=[^=]+(?= \S+=|$)", words):
            assert (one in constraints) == wanted, (one, constraints)


@pytest.mark.parametrize(
    "text",
    [
        "Klasyfikacja zdjęć grzybów, 9 gatunków, CNN w Keras, 96x96, 30 epok.",
        "Klassificera ljudklipp med hundskall på mel spectrogram, CNN, PyTorch.",
        "Türkçe film yorumlarını BERT ile sınıflandır, 3 epoch, batch size 16.",
        "Cân nặng của cá từ chiều dài: mạng nơ-ron đơn giản, file ca.csv, 50 epochs.",
    ],
)
def test_languages_without_a_name_are_not_taken_for_english(text: str) -> None:
    assert language_of(text) == "other"


def test_what_stands_behind_a_target_is_no_column() -> None:
    text = "Détecter les fraudes dans transactions.csv, colonne cible `fraude`, MLP 64-32, 20 époques, AUC."
    assert not {"column=MLP", "column=AUC"} & read(text)


def test_what_one_asks_and_denies_oneself_is_forbidden() -> None:
    assert read("RMSprop? no, Adam") == {"!optimizer=rmsprop", "optimizer=adam"}
    assert read("Augmentation? Nope.") == {"!augmentation=true"}
    assert "framework=tensorflow" in read("Can you do it in Keras? No dropout please.")


def test_what_columns_are_is_no_name_of_one() -> None:
    asked = read("churn.csv: target column churned (yes/no), numeric and text-like columns. MLP in Keras.")
    assert not any(one.startswith("column=") for one in asked)
    assert "problem=generation" not in asked
    assert {"column=text", "column=date"} <= read("columns: text, date, label")


def test_a_file_that_is_predicted_for_is_not_written() -> None:
    assert read("Write the predictions for new_cars.csv to out.csv") >= {
        "file=new_cars.csv",
        "predictions_file=out.csv",
    }
    for text in ("Also write predictions for the file new.csv.", "give me predictions for the rows in new.csv"):
        assert "file=new.csv" in read(text)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (
            "patients.csv has age, bmi and whether they came back (readmitted, 0 or 1). Learn to predict this.",
            "readmitted",
        ),
        ("churn.csv: the column I want to predict is called Churn (yes/no).", "Churn"),
        ("Daily sales in sales.csv, columns date and units. Forecast the next 14 days.", "units"),
    ],
)
def test_a_target_is_a_column_and_no_pronoun(text: str, target: str) -> None:
    assert f"target={target}" in read(text)


def test_tables_may_have_text_columns() -> None:
    asked = read("churn.csv has text columns like Contract and PaymentMethod as well as numbers like tenure.")
    assert "kind=table" in asked
    assert "kind=text" not in asked


def test_what_a_word_is_part_of_decides() -> None:
    assert not any("framework" in one for one in read("A GCN without torch geometric, hidden 16"))
    assert "l2=true" not in read("Compare with the exact solution (relative L2 error).")
    assert "!frozen=true" not in read("Backbone frozen for the first 3 epochs and then unfrozen.")
    assert "problem=differential_equations" in read("Solve the heat equation with a physics-informed network.")


@pytest.mark.parametrize(
    "text",
    [
        "Classify arXiv abstracts into topics such as pde, algebra and statistics with an LSTM in keras.",
        "An image classifier for handwritten formulas: heat equation, wave equation, Maxwell.",
        "Student notes about differential equations, classify the text by topic.",
    ],
)
def test_equations_that_are_only_a_topic_are_not_to_be_solved(text: str) -> None:
    assert "problem=differential_equations" not in read(text)
    assert "problem=classification" in read(text)
