# %% [markdown]
# # A small GPT
# A Transformer decoder that writes: every token looks back at the tokens before it (causal self-attention) and predicts
# the next one. Tokens are single characters here, so that any text will do.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "*.txt"  # the text to learn from; a `*` stands for several files
SEQUENCE_LENGTH = 128
EMBEDDING_DIM = 128
NUM_HEADS = 4
NUM_BLOCKS = 3
DROPOUT = 0.1
TEMPERATURE = 0.8
TOP_K = 10  # only so many of the likeliest tokens are drawn from
TEST_SPLIT = 0.1
VALIDATION_SPLIT = 0.05
BATCH_SIZE = 32
EPOCHS = 20
STEPS_PER_EPOCH = 200
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.01

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 3)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 64)  # the made-up lines are short
    BATCH_SIZE, STEPS_PER_EPOCH = min(BATCH_SIZE, 8), min(STEPS_PER_EPOCH, 40)


# %% Data: files
def synthetic_text(lines=1500):
    """Lines that count on: each word is followed by the next one of the list."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {lines} made-up lines, not your text.")
    rng = np.random.default_rng(42)
    words = "moon river stone light shadow morning silver quiet".split()
    starts = rng.integers(len(words), size=lines)
    return "".join(f"{words[start]} and {words[(start + 1) % len(words)]}\n" for start in starts)


def read_text():
    """The text of all files that TRAIN_FILE names."""
    paths = sorted(glob.glob(os.path.join(DATA_DIR, TRAIN_FILE)))
    if not paths:
        raise SystemExit(
            f"{os.path.join(DATA_DIR, TRAIN_FILE)}: no such file; set DATA_DIR and TRAIN_FILE to your text"
        )
    texts = []
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as stream:
            texts.append(stream.read())
    return "\n".join(texts)


text = synthetic_text() if SYNTHETIC else read_text()

# %% Preprocessing
val_start = int((1 - TEST_SPLIT - VALIDATION_SPLIT) * len(text))
test_start = int((1 - TEST_SPLIT) * len(text))
tokens = ["?", *sorted(set(text[:val_start]))]  # the first stands for characters that training has not seen
token_ids = {token: number for number, token in enumerate(tokens)}
VOCAB_SIZE = len(tokens)


def encode(text):
    """The numbers of a text's tokens."""
    return np.array([token_ids.get(character, 0) for character in text], dtype="int32")


train_ids, val_ids, test_ids = encode(text[:val_start]), encode(text[val_start:test_start]), encode(text[test_start:])
if min(len(val_ids), len(test_ids)) <= SEQUENCE_LENGTH:
    raise SystemExit(f"{len(text)} characters are too few for SEQUENCE_LENGTH = {SEQUENCE_LENGTH}")
print(f"{len(train_ids)} training tokens, {VOCAB_SIZE} different ones")


class RandomWindows(keras.utils.PyDataset):
    """Batches of windows from random places of the text, with the following token as target of each token."""

    def __init__(self, ids, steps, seed):
        super().__init__()
        self.ids, self.steps, self.seed = ids, steps, seed

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, index))
        starts = rng.integers(0, len(self.ids) - SEQUENCE_LENGTH, size=BATCH_SIZE)
        windows = np.stack([self.ids[start : start + SEQUENCE_LENGTH + 1] for start in starts])
        return windows[:, :-1], windows[:, 1:]

    def on_epoch_end(self):
        self.seed += 1


train_ds = RandomWindows(train_ids, STEPS_PER_EPOCH, seed=1000)


def in_a_row(ids):
    """Windows that lie one behind the other, and their targets."""
    starts = range(0, len(ids) - SEQUENCE_LENGTH, SEQUENCE_LENGTH)
    windows = np.stack([ids[start : start + SEQUENCE_LENGTH + 1] for start in starts])
    return windows[:, :-1], windows[:, 1:]


x_val, y_val = in_a_row(val_ids)
x_test, y_test = in_a_row(test_ids)


# %% Model
@keras.utils.register_keras_serializable()
class AddPositions(layers.Layer):
    """Adds a learned vector for each place of a sequence."""

    def __init__(self, length, **kwargs):
        super().__init__(**kwargs)
        self.length = length

    def build(self, input_shape):
        self.places = self.add_weight(shape=(self.length, input_shape[-1]), initializer="uniform", name="places")

    def call(self, inputs):
        return inputs + self.places

    def get_config(self):
        return {**super().get_config(), "length": self.length}


def decoder_block(x):
    """Pre-norm Transformer block: causal self-attention, then a dense network, each added to what came in."""
    h = layers.LayerNormalization()(x)
    h = layers.MultiHeadAttention(NUM_HEADS, EMBEDDING_DIM // NUM_HEADS, dropout=DROPOUT)(h, h, use_causal_mask=True)
    x = layers.Add()([x, h])
    h = layers.LayerNormalization()(x)
    h = layers.Dense(4 * EMBEDDING_DIM, activation="gelu")(h)
    h = layers.Dropout(DROPOUT)(layers.Dense(EMBEDDING_DIM)(h))
    return layers.Add()([x, h])


def build_model():
    """Token and position embeddings, NUM_BLOCKS decoder blocks, and logits for the next token at every place."""
    ids = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int32")
    x = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM)(ids)
    x = AddPositions(SEQUENCE_LENGTH)(x)
    for _ in range(NUM_BLOCKS):
        x = decoder_block(x)
    x = layers.LayerNormalization()(x)
    return keras.Model(ids, layers.Dense(VOCAB_SIZE)(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# %% Train
history = model.fit(train_ds, validation_data=(x_val, y_val), epochs=EPOCHS, verbose=2)
model.save("model.keras")

# %% Evaluate
loss, accuracy = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0)
commonest = np.bincount(train_ids).argmax()
perplexity = np.exp(loss)
print(f"perplexity: {perplexity:.2f} (a guess among all tokens: {VOCAB_SIZE})")
print(
    f"held-out accuracy of the next token: {accuracy:.4f} "
    f"(baseline, always the most frequent token: {np.mean(y_test == commonest):.4f})"
)


# %% Evaluate: new text
def generate(prompt, count, temperature=TEMPERATURE, top_k=TOP_K):
    """The prompt and `count` further tokens, each drawn from the top_k likeliest."""
    rng = np.random.default_rng(42)
    ids = list(encode(prompt))
    for _ in range(count):
        recent = ids[-SEQUENCE_LENGTH:]
        # Tokens look back only: what fills the window up behind them changes nothing.
        window = np.array([recent + [0] * (SEQUENCE_LENGTH - len(recent))])
        logits = model.predict_on_batch(window)[0, len(recent) - 1].astype("float64")
        logits[0] = -np.inf  # not the sign for unknown characters
        likeliest = np.argsort(logits)[-top_k:]
        weights = np.exp((logits[likeliest] - logits.max()) / temperature)
        ids.append(int(rng.choice(likeliest, p=weights / weights.sum())))
    return prompt + "".join(tokens[number] for number in ids[len(prompt) :])


written = generate(text[:20], 60 if SYNTHETIC else 400)
print(written)
with open("generated.txt", "w", encoding="utf-8") as stream:
    stream.write(written)

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("cross-entropy of the next token")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
