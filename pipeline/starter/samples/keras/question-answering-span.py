# %% [markdown]
# # Answers cut out of a text
# Extractive question answering: the model reads a context and a question and points at the first and the last word of
# the answer in the context. Besides its vector, each word of the context knows whether the question has it too.

# %% Imports
import json
import os
import re

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections import Counter

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.json"  # a JSON file in the layout of SQuAD, or a table with the columns below
READ_OPTIONS = {}  # how a CSV is written, where that is not plain
CONTEXT_COLUMN = "context"
QUESTION_COLUMN = "question"
TARGET = "answer"  # the words of the answer as they stand in the context
SEQUENCE_LENGTH = 150  # words of a context
QUESTION_LENGTH = 20  # words of a question
ANSWER_LENGTH = 10  # words of the longest answer
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
LSTM_UNITS = 48
DROPOUT = 0.2
TEST_SPLIT = 0.15
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 15
LEARNING_RATE = 0.003
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 7)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 40)  # the made-up contexts are short


# %% Data: files
def synthetic_table(rows=500):
    """Contexts that state a property of four things in a row; the question asks for that of one of them."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up questions, not your data.")
    rng = np.random.default_rng(42)
    table = []
    for _ in range(rows):
        things = rng.permutation([f"thing{number}" for number in range(12)])[:4]
        values = [" ".join(f"value{number}" for number in rng.integers(0, 20, rng.integers(1, 3))) for _ in things]
        context = " ".join(f"The size of {thing} is {value}." for thing, value in zip(things, values, strict=True))
        asked = rng.integers(4)
        table.append((context, f"What is the size of {things[asked]}?", values[asked]))
    return pd.DataFrame(table, columns=[CONTEXT_COLUMN, QUESTION_COLUMN, TARGET])


def read_table():
    """A row for each question that has an answer, with its context."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your questions lie")
    if path.lower().endswith(".json"):
        with open(path, encoding="utf-8") as stream:
            articles = json.load(stream)["data"]
        rows = []
        for paragraph in (paragraph for article in articles for paragraph in article["paragraphs"]):
            for qa in paragraph["qas"]:
                rows += [(paragraph["context"], qa["question"], answer["text"]) for answer in qa["answers"][:1]]
        return pd.DataFrame(rows, columns=[CONTEXT_COLUMN, QUESTION_COLUMN, TARGET])
    table = pd.read_csv(path, **READ_OPTIONS)
    for column in (CONTEXT_COLUMN, QUESTION_COLUMN, TARGET):
        if column not in table:
            raise SystemExit(f"{TRAIN_FILE} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.dropna(subset=[CONTEXT_COLUMN, QUESTION_COLUMN, TARGET]).astype(str)


# %% Preprocessing
def tokens_of(text):
    """Words and signs with their places in the text: (word in lower case, start, end)."""
    return [(match.group().lower(), match.start(), match.end()) for match in re.finditer(r"\w+|[^\w\s]", text)]


def span_of(row):
    """The numbers of the answer's first and last word; None where it does not stand within SEQUENCE_LENGTH words."""
    start = row[CONTEXT_COLUMN].find(row[TARGET])
    end = start + len(row[TARGET])
    inside = [
        number
        for number, (_, first, last) in enumerate(tokens_of(row[CONTEXT_COLUMN])[:SEQUENCE_LENGTH])
        if first < end and last > start >= 0
    ]
    return (inside[0], inside[-1]) if inside else None


table = synthetic_table() if SYNTHETIC else read_table()
table["span"] = table.apply(span_of, axis=1)
table = table[table["span"].notna()]
if len(table) < 20:
    raise SystemExit(f"{TRAIN_FILE}: {len(table)} answers stand in their contexts; {TARGET!r} must quote the context")
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)

counts = Counter(word for text in [*train[CONTEXT_COLUMN], *train[QUESTION_COLUMN]] for word, _, _ in tokens_of(text))
vocabulary = {word: number for number, (word, _) in enumerate(counts.most_common(VOCAB_SIZE - 2), 2)}


def inputs_of(table):
    """Word numbers of contexts and questions, and which words of the context stand in the question."""
    contexts = np.zeros((len(table), SEQUENCE_LENGTH), dtype="int32")
    questions = np.zeros((len(table), QUESTION_LENGTH), dtype="int32")
    matches = np.zeros((len(table), SEQUENCE_LENGTH, 1), dtype="float32")
    for row, (context, question) in enumerate(zip(table[CONTEXT_COLUMN], table[QUESTION_COLUMN], strict=True)):
        context_words = [word for word, _, _ in tokens_of(context)[:SEQUENCE_LENGTH]]
        question_words = [word for word, _, _ in tokens_of(question)[:QUESTION_LENGTH]]
        contexts[row, : len(context_words)] = [vocabulary.get(word, 1) for word in context_words]
        questions[row, : len(question_words)] = [vocabulary.get(word, 1) for word in question_words]
        matches[row, : len(context_words), 0] = [word in question_words for word in context_words]
    return {"context": contexts, "question": questions, "match": matches}


def spans_of(table):
    """Where the answers start and end."""
    spans = np.array(table["span"].tolist())
    return {"start": spans[:, 0], "end": spans[:, 1]}


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
y_train, y_val = spans_of(train), spans_of(val)
print(f"{len(train)} questions for training, {len(vocabulary)} words")


# %% Model
def build_model():
    """Each word of the context is joined with what of the question it attends to; two outputs point at the span."""
    context = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int32", name="context")
    question = keras.Input(shape=(QUESTION_LENGTH,), dtype="int32", name="question")
    match = keras.Input(shape=(SEQUENCE_LENGTH, 1), name="match")
    embed = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM)
    asked = layers.Bidirectional(layers.LSTM(LSTM_UNITS, return_sequences=True))(embed(question))
    x = layers.Concatenate()([embed(context), match])
    x = layers.Bidirectional(layers.LSTM(LSTM_UNITS, return_sequences=True))(x)
    attended = layers.Attention()([x, asked])
    x = layers.Concatenate()([x, attended, layers.Multiply()([x, attended])])
    x = layers.Dropout(DROPOUT)(x)
    x = layers.Bidirectional(layers.LSTM(LSTM_UNITS, return_sequences=True))(x)
    start = layers.Softmax(name="start")(layers.Flatten()(layers.Dense(1)(x)))
    end = layers.Softmax(name="end")(layers.Flatten()(layers.Dense(1)(x)))
    return keras.Model({"context": context, "question": question, "match": match}, {"start": start, "end": end})


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss={"start": "sparse_categorical_crossentropy", "end": "sparse_categorical_crossentropy"},
    metrics={"start": "accuracy", "end": "accuracy"},
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")
joblib.dump(vocabulary, "vocabulary.joblib")


# %% Evaluate
def predict(table):
    """The answer to each row's question: the most likely span of at most ANSWER_LENGTH words, as it stands there."""
    outputs = model.predict(inputs_of(table), verbose=0)
    answers = []
    for context, starts, ends in zip(table[CONTEXT_COLUMN], outputs["start"], outputs["end"], strict=True):
        tokens = tokens_of(context)[:SEQUENCE_LENGTH]
        likely = np.outer(starts, ends)[: len(tokens), : len(tokens)]
        likely = np.triu(likely) - np.triu(likely, ANSWER_LENGTH)  # the end within ANSWER_LENGTH words of the start
        first, last = np.unravel_index(likely.argmax(), likely.shape)
        answers.append(context[tokens[first][1] : tokens[last][2]])
    return answers


def f1(truth, given):
    """F1 of the words that two answers share."""
    true, answer = Counter(word for word, _, _ in tokens_of(truth)), Counter(word for word, _, _ in tokens_of(given))
    return 2 * (true & answer).total() / max(true.total() + answer.total(), 1)


answers = predict(test)
exact_match = np.mean([truth == answer for truth, answer in zip(test[TARGET], answers, strict=True)])
print(f"exact match: {exact_match:.4f}")
print(
    f"held-out F1 of answers: {np.mean(list(map(f1, test[TARGET], answers))):.4f} "
    f"(baseline, the whole context: {np.mean(list(map(f1, test[TARGET], test[CONTEXT_COLUMN]))):.4f})"
)

# %% Show
shown = test.assign(predicted=answers)
shown[[QUESTION_COLUMN, TARGET, "predicted"]].to_csv("predictions.csv", index=False)
print(shown[[QUESTION_COLUMN, TARGET, "predicted"]].head(8).to_string(index=False))
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
