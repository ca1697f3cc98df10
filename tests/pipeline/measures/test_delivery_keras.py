"""Constraints looked up in small Keras programs: + met, - not met, ? cannot be told by reading."""

from __future__ import annotations

from tests.pipeline.measures.asked import checked, wrong

PHOTOS = '''
"""A U-Net in PyTorch with batch size 512: prose is no evidence."""
import pandas as pd
import matplotlib.pyplot as plt
import tensorflow as tf
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(7)
SIZE = 200 + 24
BATCH = 16
CLASSES = ["healthy", "leaf rust"]
EPOCHS = 25
RATE = 3e-4

images = keras.utils.image_dataset_from_directory("leaves", image_size=(SIZE, SIZE), batch_size=BATCH)
train, test = train_test_split(images, test_size=0.2, stratify=images)

augment = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
base = keras.applications.ResNet50(include_top=False, weights="imagenet", pooling="avg")
base.trainable = False
for layer in base.layers[-30:]:
    layer.trainable = True

inputs = keras.Input((SIZE, SIZE, 3))
x = layers.Rescaling(1 / 255)(augment(inputs))
x = base(x)
x = layers.Dense(64, activation="gelu", kernel_regularizer=keras.regularizers.l2(1e-3))(x)
x = layers.Dropout(0.3)(x)
outputs = layers.Dense(len(CLASSES), activation="softmax")(x)
model = keras.Model(inputs, outputs)
schedule = keras.optimizers.schedules.CosineDecay(RATE, 1000)
model.compile(
    optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.01, clipnorm=1.0),
    loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    metrics=["accuracy", keras.metrics.AUC(curve="PR")],
)
stopping = keras.callbacks.EarlyStopping(patience=5)
saving = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
history = model.fit(train, epochs=EPOCHS, callbacks=[stopping, saving], class_weight={0: 1.0, 1: 4.0})
predicted = model.predict(test)
print(classification_report(test, predicted), confusion_matrix(test, predicted))
plt.plot(history.history["loss"])
plt.savefig("loss.png")
pd.DataFrame(predicted).to_csv("out/pred.csv")
keras.mixed_precision.set_global_policy("mixed_float16")
tf.lite.TFLiteConverter.from_keras_model(model)
'''


def test_a_program_for_photos() -> None:
    assert not wrong(
        """
        + framework.framework=tensorflow
        - framework.framework=pytorch
        + framework.api=functional
        - framework.api=custom_loop
        + task.problem=classification
        - task.problem=segmentation
        - task.variant=multi_label
        - task.variant=cross_validation
        - task.variant=multi_input
        + data.kind=image
        - data.kind=audio
        - data.dataset=cifar10
        + size.height=224
        + size.height=224.0
        - size.width=300
        + size.channels=3
        ? size.examples=1800
        + classes.count=2
        - classes.count=5
        + classes.name=leaf_rust
        ? classes.name=mildew
        ? classes.imbalance=0.1
        + files.folder=leaves
        - files.folder=flowers
        - architecture.family=unet
        + architecture.family=cnn
        - architecture.family=lstm
        + architecture.backbone=resnet50
        - architecture.backbone=resnet50v2
        - architecture.backbone=vgg16
        + architecture.weights=pretrained
        - architecture.weights=scratch
        + architecture.frozen=true
        + architecture.fine_tuned=true
        + architecture.fine_tuned_layers=30
        - architecture.fine_tuned_layers=20
        + architecture.units=64
        + architecture.hidden_layers=64
        - architecture.hidden_layers=64,32
        + architecture.activation=gelu
        - architecture.activation=tanh
        + architecture.output_activation=softmax
        - architecture.output_activation=sigmoid
        + architecture.pooling=global_average
        - architecture.normalization=group
        + training.loss=categorical_crossentropy
        + training.loss=crossentropy
        - training.loss=focal
        + training.optimizer=adamw
        - training.optimizer=adam
        + training.learning_rate=0.0003
        - training.learning_rate=0.001
        + training.weight_decay=0.01
        + training.gradient_clipping=1.0
        + training.gradient_clipping=true
        + training.label_smoothing=0.1
        + training.l2=0.001
        - training.l1=true
        + training.batch_size=16
        - training.batch_size=512
        + training.epochs=25
        - training.epochs=10
        + training.patience=5
        + training.seed=7
        + training.dropout=0.3
        + training.dropout=true
        - training.dropout=0.5
        + training.schedule=cosine
        - training.schedule=one_cycle
        + training.early_stopping=true
        + training.checkpoint=true
        + training.mixed_precision=true
        + training.class_weights=true
        - training.oversampling=true
        + training.stratified=true
        + training.augmentation=true
        + training.augmentation=flip
        - training.augmentation=mixup
        + training.test_split=0.2
        - training.test_split=0.3
        + training.scaling=rescale
        - training.scaling=standard
        + metric.metric=accuracy
        + metric.metric=pr_auc
        - metric.metric=auc
        + metric.metric=macro_f1
        - metric.metric=micro_f1
        - metric.metric=rmse
        ? metric.goal=0.95
        + output.plot=learning_curves
        + output.plot=confusion_matrix
        - output.plot=roc_curve
        + output.model_file=best.keras
        - output.model_file=wine.keras
        + output.model_file=true
        + output.predictions_file=out/pred.csv
        + output.report=classification_report
        - output.report=baseline
        + output.export=tflite
        - output.export=onnx
        - output.comments=true
        """,
        PHOTOS,
    )


def test_what_is_forbidden_is_turned_round() -> None:
    assert not wrong(
        """
        - not training.dropout=true
        + not architecture.family=transformer
        - not training.augmentation=flip
        - not metric.metric=accuracy
        + not training.optimizer=sgd
        - not architecture.frozen=true
        ? not classes.imbalance=0.1
        """,
        PHOTOS,
    )


def test_a_verdict_names_the_line_and_what_stands_there_instead() -> None:
    met = checked("training.epochs=25", PHOTOS)
    assert "EPOCHS" in PHOTOS.splitlines()[(met.line or 0) - 1]
    missed = checked("architecture.backbone=vgg16", PHOTOS)
    assert missed.evidence == "resnet50"
    assert "ResNet50" in PHOTOS.splitlines()[(missed.line or 0) - 1]
    assert checked("training.dropout=0.5", PHOTOS).evidence == "0.3"


TABLE = """
import pandas as pd
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from tensorflow.keras import Sequential
from tensorflow.keras.layers import BatchNormalization, Dense

table = pd.read_csv("sales_2023.csv", sep=";", encoding="latin-1")
table = table.drop(columns=["invoice_no"])
y = table.pop("revenue")
x = StandardScaler().fit_transform(table[["age", "income"]])
for fit, held_out in KFold(n_splits=5).split(x):
    model = Sequential()
    model.add(Dense(64, activation="relu", input_shape=(9,)))
    model.add(BatchNormalization())
    model.add(Dense(32, activation="relu"))
    model.add(Dense(1))
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(x[fit], y[fit], epochs=3)
"""


def test_a_program_for_a_table() -> None:
    assert not wrong(
        """
        + framework.api=sequential
        + task.problem=regression
        - task.problem=classification
        + task.variant=cross_validation
        - task.variant=multi_output
        + data.kind=table
        - data.kind=image
        + files.file=sales_2023.csv
        - files.file=customers.csv
        + files.format=csv
        - files.format=parquet
        + files.separator=;
        - files.separator=tab
        + files.encoding=latin-1
        + files.column=age
        - files.column=clicks
        + not files.column=invoice_no
        - not files.column=income
        + files.target=revenue
        + size.features=9
        - size.features=12
        - size.height=224
        + size.outputs=1
        + architecture.family=mlp
        + architecture.hidden_layers=64,32
        + architecture.hidden_layers=2
        - architecture.hidden_layers=3
        + architecture.dense_layers=3
        + architecture.normalization=batch
        - architecture.backbone=resnet50
        - architecture.frozen=true
        + architecture.weights=scratch
        + architecture.output_activation=linear
        + training.loss=mse
        - training.loss=mae
        + training.optimizer=sgd
        + training.learning_rate=0.01
        + training.batch_size=32
        + training.folds=5
        - training.folds=10
        + training.scaling=standard
        - training.momentum=0.9
        + metric.metric=mae
        + metric.metric=mse
        - output.plot=residuals
        """,
        TABLE,
    )


SERIES = """
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

LOOKBACK, HORIZON = 168, 24
data = np.load("load.npy")
split = int(0.7 * len(data))
model = keras.Sequential([
    keras.Input((LOOKBACK, 5)),
    layers.Bidirectional(layers.LSTM(50, return_sequences=True)),
    layers.GRU(20),
    layers.Dense(HORIZON),
])
model.compile(optimizer="adam", loss=keras.losses.Huber())
model.fit(data[:split], data[:split, 0], batch_size=8, epochs=2, shuffle=False)
"""


def test_a_program_for_a_series() -> None:
    assert not wrong(
        """
        + task.problem=forecasting
        - task.problem=classification
        + task.variant=multi_step
        + data.kind=series
        + size.length=168
        - size.length=30
        + size.horizon=24
        - size.horizon=7
        + size.features=5
        + architecture.family=lstm
        + architecture.family=bilstm
        + architecture.family=gru
        - architecture.family=bigru
        + architecture.family=rnn
        - architecture.family=mlp
        - architecture.family=tcn
        + architecture.recurrent_layers=2
        - architecture.recurrent_layers=1
        + architecture.units=50
        + architecture.units=50,20 of lstm
        - architecture.units=24
        + training.loss=huber
        + training.test_split=0.3
        + not training.shuffle=true
        + training.learning_rate=0.001
        + files.format=npy
        """,
        SERIES,
    )


MASKS = """
from tensorflow import keras
from tensorflow.keras import layers

def block(x, filters):
    return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)

inputs = keras.Input((128, 128, 1))
skips, x = [], inputs
for filters in (32, 64):
    x = block(x, filters)
    skips.append(x)
    x = layers.MaxPooling2D()(x)
x = block(x, 128)
for filters in (64, 32):
    x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
    x = layers.Concatenate()([x, skips.pop()])
    x = block(x, filters)
masks = layers.Conv2D(1, 1, activation="sigmoid")(x)
model = keras.Model(inputs, masks)

def dice_loss(true, predicted):
    return 1 - 2 * keras.ops.sum(true * predicted) / keras.ops.sum(true + predicted)

model.compile("adam", dice_loss, metrics=[keras.metrics.BinaryIoU()])
"""


def test_a_program_for_masks() -> None:
    assert not wrong(
        """
        + task.problem=segmentation
        - task.problem=classification
        + task.variant=semantic
        + architecture.family=unet
        + architecture.family=cnn
        - architecture.family=autoencoder
        + architecture.skip_connections=true
        + architecture.pooling=max
        - architecture.pooling=global_max
        + architecture.filters=32,64,128
        - architecture.filters=16,32
        + architecture.filters=128
        - architecture.kernel_size=5
        + architecture.stride=2
        + size.channels=1
        - size.channels=3
        + training.loss=dice
        - training.loss=binary_crossentropy
        + metric.metric=iou
        - training.early_stopping=true
        """,
        MASKS,
    )


TEXT = """
from tensorflow import keras
from tensorflow.keras import layers

VOCAB = 8000
vectorizer = layers.TextVectorization(max_tokens=VOCAB, output_sequence_length=40)
source = keras.Input((40,), name="english")
target = keras.Input((40,), name="swedish")
encoded, state = layers.GRU(256, return_sequences=True, return_state=True)(layers.Embedding(VOCAB, 128)(source))
decoded = layers.GRU(256, return_sequences=True)(layers.Embedding(VOCAB, 128)(target), initial_state=state)
x = layers.MultiHeadAttention(num_heads=8, key_dim=16)(decoded, encoded)
outputs = layers.Dense(VOCAB, activation="softmax")(x)
model = keras.Model([source, target], outputs)
model.compile("rmsprop", "sparse_categorical_crossentropy")

def translate(text, beam_width=3, temperature=0.7):
    return model.predict(text)
"""


def test_a_program_for_texts() -> None:
    assert not wrong(
        """
        + task.problem=translation
        - task.problem=summarization
        - task.problem=classification
        + task.variant=sequence_to_sequence
        + task.variant=multi_input
        + task.variant=word_level
        - task.variant=character_level
        + data.kind=text
        + size.vocabulary=8000
        - size.vocabulary=20000
        + size.length=40
        + architecture.family=attention
        + architecture.family=encoder_decoder
        - architecture.backbone=bert
        + architecture.embedding=128
        - architecture.embedding=100
        + architecture.heads=8
        - architecture.heads=4
        + training.loss=sparse_categorical_crossentropy
        + training.optimizer=rmsprop
        + output.decoding=beam_search
        + output.decoding=temperature
        - output.decoding=top_p
        """,
        TEXT,
    )


SOUND = """
import librosa
import numpy as np
from tensorflow import keras

def features(path):
    wave, _ = librosa.load(path, sr=16_000, duration=3)
    return np.log(librosa.feature.melspectrogram(y=wave) + 1e-6)
"""


def test_a_program_for_sounds() -> None:
    assert not wrong(
        """
        + data.kind=audio
        + data.representation=log_mel_spectrogram
        + data.representation=mel_spectrogram
        - data.representation=mfcc
        - data.representation=waveform
        + size.sample_rate=16000
        - size.sample_rate=22050
        + size.duration=3
        - size.duration=2.5
        """,
        SOUND,
    )


PICTURES = """
import matplotlib.pyplot as plt
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

LATENT_DIM = 100
(images, _), _ = keras.datasets.fashion_mnist.load_data()
generator = keras.Sequential([
    keras.Input((LATENT_DIM,)),
    layers.Dense(7 * 7 * 64),
    layers.Reshape((7, 7, 64)),
    layers.Conv2DTranspose(32, 4, strides=4, padding="same"),
    layers.Conv2D(1, 3, padding="same", activation="tanh"),
])
discriminator = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(32, 3), layers.Flatten(), layers.Dense(1)])
optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
for epoch in range(200):
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((16, LATENT_DIM)))
        loss = keras.losses.BinaryCrossentropy(from_logits=True)(tf.ones((16, 1)), discriminator(fake))
    optimizer.apply_gradients(zip(tape.gradient(loss, generator.variables), generator.variables))
samples = generator(tf.random.normal((16, LATENT_DIM)))
plt.imshow(samples[0])
"""


def test_a_program_that_makes_pictures() -> None:
    assert not wrong(
        """
        + framework.api=custom_loop
        + task.problem=generation
        - task.problem=classification
        + data.dataset=fashion_mnist
        - data.dataset=mnist
        + architecture.family=gan
        + architecture.family=dcgan
        - architecture.family=cyclegan
        - architecture.family=variational_autoencoder
        + size.latent=100
        - size.latent=128
        + size.height=28
        + training.epochs=200
        + training.learning_rate=0.0002
        + output.samples=16
        - output.samples=99
        + output.plot=samples
        """,
        PICTURES,
    )
