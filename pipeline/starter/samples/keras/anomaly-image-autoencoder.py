# %% [markdown]
# # Anomalies in images by reconstruction error
# An autoencoder that has seen normal images alone gives back what is normal well and the rest badly: images whose
# reconstruction error is above a threshold are anomalies. Images lie in a folder per class, one of them the normal one.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # images that are to be checked
NORMAL_CLASS = "normal"  # any other folder holds anomalies, which are for the test alone
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [32, 32, 16]
LATENT_DIM = 32
NORMAL_SHARE = 0.95  # of normal images that are to stay below the threshold
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
PATIENCE = 8
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def write_made_up_images(root, normal=120, abnormal=30):
    """Smooth shades of gray; anomalies have a dark scratch somewhere."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {normal + abnormal} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    for number in range(normal + abnormal):
        class_name = NORMAL_CLASS if number < normal else "anomaly"
        shade = np.linspace(rng.uniform(80, 120), rng.uniform(160, 220), IMAGE_WIDTH)
        image = np.repeat(np.tile(shade, (IMAGE_HEIGHT, 1))[..., None], 3, axis=-1)
        image += rng.normal(0, 4, size=image.shape)
        if class_name != NORMAL_CLASS:
            top, left = rng.integers(IMAGE_HEIGHT // 2), rng.integers(IMAGE_WIDTH // 2)
            image[top : top + IMAGE_HEIGHT // 3, left : left + max(2, IMAGE_WIDTH // 10)] = 20
        path = os.path.join(root, TRAIN_IMAGES.replace("{class}", class_name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype("uint8")).save(os.path.join(os.path.dirname(path), f"{number}.png"))


def read_images(pattern):
    """The images that lie as the pattern says, pixels from 0 to 1, and their files."""
    found = glob.glob(os.path.join(glob.escape(root), pattern), recursive=True)
    paths = [path for path in sorted(found) if path.lower().endswith(ENDINGS)]
    images = np.zeros((len(paths), IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="float32")
    for image, path in zip(images, paths, strict=True):
        with Image.open(path) as file:
            resized = file.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        image[:] = np.asarray(resized).reshape(image.shape) / 255.0
    return images, paths


root = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_images(root)
images, paths = read_images(TRAIN_IMAGES.replace("{class}", "*"))
depth = TRAIN_IMAGES.split("/").index("{class}")
names = np.array([os.path.relpath(path, root).split(os.sep)[depth] for path in paths])
if NORMAL_CLASS not in names:
    known = [name for name in sorted(set(names)) if name.lower() in ("normal", "good", "ok", "healthy", "negative")]
    if not known:
        folders = ", ".join(sorted(set(names))[:20]) or "no images"
        raise SystemExit(f"{root} has no folder {NORMAL_CLASS!r} but {folders}; set NORMAL_CLASS to the normal ones")
    NORMAL_CLASS = known[0]
is_anomaly = (names != NORMAL_CLASS).astype(int)
print(f"{np.sum(is_anomaly == 0)} normal images in {NORMAL_CLASS!r}, {is_anomaly.sum()} anomalies")

# %% Preprocessing
# The model sees normal images alone, and so does the threshold; anomalies are all for the test.
x_train, x_normal = train_test_split(images[is_anomaly == 0], test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val = train_test_split(x_train, test_size=VALIDATION_SPLIT, random_state=SEED)
x_test = np.concatenate([x_normal, images[is_anomaly == 1]])
y_test = np.repeat([0, 1], [len(x_normal), is_anomaly.sum()])


# %% Model
def build_model():
    """An encoder down to LATENT_DIM numbers, too few to keep what is not usual, and a decoder back to the image."""
    inputs = x = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    small = x.shape[1:]
    x = layers.Flatten()(x)
    latent = layers.Dense(LATENT_DIM, name="latent")(x)
    x = layers.Dense(int(np.prod(small)), activation="relu")(latent)
    x = layers.Reshape(small)(x)
    for filters in FILTERS[::-1]:
        x = layers.UpSampling2D(2)(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(CHANNELS, 3, padding="same", activation="sigmoid")(x)
    return keras.Model(inputs, layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH)(x))


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss="mse", metrics=["mae"])

# %% Train
history = model.fit(
    x_train,
    x_train,  # the image itself is what is wanted
    validation_data=(x_val, x_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def reconstruction_errors(images):
    """The mean squared difference of each image from what the model makes of it."""
    return np.mean((images - model.predict(images, verbose=0)) ** 2, axis=(1, 2, 3))


threshold = np.quantile(reconstruction_errors(x_val), NORMAL_SHARE)
print(f"threshold: {threshold:.6f}, the error that {NORMAL_SHARE:.0%} of normal validation images stay below")
errors = reconstruction_errors(x_test)


def predict(pattern):
    """Error and verdict of each image file that lies as the pattern says, as a table."""
    images, paths = read_images(pattern)
    errors = reconstruction_errors(images)
    return pd.DataFrame({"file": paths, "error": errors, "anomaly": (errors > threshold).astype(int)})


if y_test.any():
    print(f"area under the ROC curve: {roc_auc_score(y_test, errors):.4f}")
    print(
        f"held-out balanced accuracy: {balanced_accuracy_score(y_test, errors > threshold):.4f} "
        f"(baseline, always normal: {balanced_accuracy_score(y_test, np.zeros_like(y_test)):.4f})"
    )
if UNLABELLED_FOLDER and not SYNTHETIC:
    table = predict(UNLABELLED_FOLDER + "/**")
    table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(table)} rows, {table['anomaly'].sum()} anomalies")

# %% Show
figure, axes = plt.subplots(1, 3, figsize=(12, 3.6))
axes[0].hist([errors[y_test == 0], errors[y_test == 1]], bins=20, label=["normal", "anomaly"])
axes[0].axvline(threshold, linestyle="--", color="black", label="threshold")
axes[0].set_xlabel("reconstruction error")
axes[0].legend()
worst = x_test[errors.argmax()]
shown = {"image": worst, "reconstruction": model.predict(worst[None], verbose=0)[0]}
for axis, (title, image) in zip(axes[1:], shown.items(), strict=True):
    axis.imshow(image.squeeze(), cmap="gray" if CHANNELS == 1 else None, vmin=0, vmax=1)
    axis.set_title(f"largest error: {title}")
    axis.axis("off")
plt.tight_layout()
plt.savefig("reconstruction_errors.png")
plt.show()
