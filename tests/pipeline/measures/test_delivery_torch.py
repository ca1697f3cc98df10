"""Constraints looked up in small programs of PyTorch and JAX."""

from __future__ import annotations

import pytest

from tests.pipeline.analysis import torch_programs
from tests.pipeline.measures.asked import checked, wrong

TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

BATCH_SIZE = 32
EPOCHS = 15
augment = transforms.Compose([transforms.Resize((96, 128)), transforms.RandomHorizontalFlip(), transforms.ToTensor()])
data = datasets.CIFAR10("data", transform=augment)
loader = DataLoader(data, batch_size=BATCH_SIZE, shuffle=True)


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=5), nn.BatchNorm2d(32), nn.ELU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5)
        )
        self.hidden = nn.Linear(64, 50)
        self.drop = nn.Dropout(0.25)
        self.head = nn.Linear(50, classes)

    def forward(self, x):
        return self.head(self.drop(nn.functional.relu(self.hidden(self.features(x).mean(dim=(2, 3))))))


def train(model, epochs=EPOCHS):
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)
    for epoch in range(epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        schedule.step()


torch.manual_seed(3)
model = Net(10)
train(model)
torch.save(model.state_dict(), "net.pt")
torch.onnx.export(model, torch.zeros(1, 3, 96, 128), "net.onnx")
"""


def test_a_program_of_pytorch() -> None:
    assert not wrong(
        """
        + framework.framework=pytorch
        - framework.framework=tensorflow
        + framework.api=custom_loop
        + framework.api=subclassing
        ? framework.api=functional
        + task.problem=classification
        - task.problem=regression
        + data.dataset=cifar10
        - data.dataset=cifar100
        + data.kind=image
        + size.height=96
        + size.width=128
        - size.height=128
        + size.channels=3
        + classes.count=10
        - classes.count=7
        + architecture.family=cnn
        - architecture.family=cnn_1d
        - architecture.family=lstm
        + architecture.kernel_size=5
        + architecture.filters=32,64
        + architecture.hidden_layers=50
        + architecture.activation=elu
        + architecture.activation=relu
        - architecture.activation=tanh
        + architecture.output_activation=softmax
        + architecture.normalization=batch
        + architecture.pooling=max
        - architecture.pooling=average
        + training.loss=crossentropy
        - training.loss=mse
        + training.optimizer=sgd
        - training.optimizer=adam
        + training.learning_rate=0.05
        + training.momentum=0.9
        + training.weight_decay=0.0001
        + training.gradient_clipping=1.0
        + training.label_smoothing=0.1
        + training.schedule=step
        - training.schedule=cosine
        + training.batch_size=32
        - training.batch_size=64
        + training.epochs=15
        - training.epochs=30
        + training.dropout=0.25
        - training.dropout=0.5
        + training.augmentation=flip
        - training.augmentation=rotation
        + training.seed=3
        + training.shuffle=true
        + output.model_file=net.pt
        + output.export=onnx
        """,
        TORCH,
    )


FINE_TUNED = """
import torch
from torchvision import models

model = models.resnet34(weights=models.ResNet34_Weights.DEFAULT)
for parameter in model.parameters():
    parameter.requires_grad = False
model.fc = torch.nn.Linear(512, 5)
optimizer = torch.optim.AdamW(model.fc.parameters(), lr=1e-3)
"""


def test_a_known_network_of_torchvision() -> None:
    assert not wrong(
        """
        + architecture.backbone=resnet34
        - architecture.backbone=resnet50
        + architecture.weights=pretrained
        + architecture.frozen=true
        + architecture.family=cnn
        + architecture.depth=34
        + classes.count=5
        - not architecture.frozen=true
        """,
        FINE_TUNED,
    )


RECURRENT = """
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(20_000, 100)
        self.lstm = nn.LSTM(100, 64, num_layers=2, bidirectional=True, batch_first=True)
        self.tags = nn.Linear(128, 17)


model = Tagger()
loss = nn.CrossEntropyLoss()
"""


def test_a_recurrent_network_of_pytorch() -> None:
    assert not wrong(
        """
        + architecture.family=bilstm
        - architecture.family=gru
        + architecture.embedding=100
        + architecture.units=64
        + architecture.recurrent_layers=2
        + size.vocabulary=20000
        + classes.count=17
        """,
        RECURRENT,
    )


FINE_TUNED_TEXT = """
from transformers import AutoTokenizer, AutoModelForSequenceClassification

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=4)
batch = tokenizer(["a text"], max_length=128, truncation=True, padding="max_length")
"""


def test_a_model_of_transformers() -> None:
    assert not wrong(
        """
        + architecture.backbone=distilbert
        - architecture.backbone=bert
        + architecture.weights=pretrained
        + architecture.fine_tuned=true
        - architecture.frozen=true
        + architecture.family=transformer
        + data.kind=text
        + size.length=128
        + classes.count=4
        """,
        FINE_TUNED_TEXT,
    )


JAX = """
import flax.linen as nn
import jax
import optax


class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.gelu(nn.Dense(192)(x))
        x = nn.MultiHeadDotProductAttention(num_heads=8)(x, x)
        return nn.Dense(10)(x)


net = Net()
optimizer = optax.adamw(optax.cosine_decay_schedule(1e-3, 1000), weight_decay=0.01)
key = jax.random.PRNGKey(42)
"""


def test_a_program_of_jax() -> None:
    assert not wrong(
        """
        + framework.framework=jax
        - framework.framework=pytorch
        + architecture.activation=gelu
        + architecture.heads=8
        + architecture.units=192
        + classes.count=10
        + training.optimizer=adamw
        + training.learning_rate=0.001
        + training.schedule=cosine
        + training.weight_decay=0.01
        + training.seed=42
        """,
        JAX,
    )


@pytest.mark.parametrize(
    "name", ["MNIST", "RESIDUAL", "EARLY", "GAN", "LIGHTNING", "REGRESSION", "FINE_TUNED", "TWO_LESSONS"]
)
def test_programs_as_people_write_them(name: str) -> None:
    assert not wrong(ASKED_OF[name], getattr(torch_programs, name))


ASKED_OF = {
    "MNIST": """
        + framework.framework=pytorch
        + task.problem=classification
        + architecture.family=cnn
        + architecture.conv_layers=2
        + architecture.dense_layers=2
        + architecture.hidden_layers=128
        + architecture.filters=32,64
        + architecture.kernel_size=3
        + architecture.activation=relu
        + architecture.pooling=max
        - architecture.pooling=average
        + architecture.output_activation=softmax
        + classes.count=10
        + training.dropout=0.25
        - training.dropout=0.5
        + training.optimizer=adadelta
        - training.optimizer=adam
        + training.learning_rate=1.0
        + training.loss=crossentropy
        + training.batch_size=64
        + training.epochs=14
        - training.epochs=15
        + training.schedule=step
        - training.schedule=cosine
        - training.early_stopping=true
        - training.mixed_precision=true
        + training.checkpoint=true
        + framework.api=custom_loop
        + output.model_file=mnist_cnn.pt
    """,
    "RESIDUAL": """
        + architecture.family=resnet
        + architecture.normalization=batch
        + architecture.skip_connections=true
        + architecture.filters=16,32
        + architecture.pooling=global_average
        + classes.count=100
        + training.optimizer=sgd
        + training.momentum=0.9
        + training.weight_decay=0.0005
        + training.learning_rate=0.1
        + training.schedule=cosine
        + training.mixed_precision=true
        + training.gradient_clipping=5.0
        + training.label_smoothing=0.1
        + training.batch_size=128
        + training.epochs=40
        - training.epochs=10
        - training.early_stopping=true
    """,
    "EARLY": """
        + architecture.family=mlp
        + architecture.hidden_layers=64
        + architecture.activation=leaky_relu
        + architecture.output_activation=sigmoid
        + training.loss=binary_crossentropy
        + training.dropout=0.4
        + training.optimizer=adamw
        + training.learning_rate=0.0003
        + training.weight_decay=0.01
        + training.schedule=reduce_on_plateau
        + training.early_stopping=true
        + training.patience=7
        - training.patience=3
        + training.batch_size=16
        + training.epochs=200
        + training.checkpoint=true
        + framework.api=sequential
        + task.problem=classification
    """,
    "GAN": """
        + task.problem=generation
        + architecture.family=gan
        + architecture.family=dcgan
        + training.optimizer=adam
        + training.learning_rate=0.0002
        + training.batch_size=128
        + training.epochs=25
    """,
    "LIGHTNING": """
        + framework.framework=pytorch
        + architecture.family=bigru
        - architecture.family=bilstm
        + architecture.recurrent_layers=2
        + architecture.embedding=32
        + architecture.units=64
        + classes.count=9
        + training.optimizer=rmsprop
        + training.learning_rate=0.002
        + training.schedule=exponential
        + training.epochs=12
        + training.batch_size=24
        + training.early_stopping=true
        + training.patience=4
        + training.gradient_clipping=0.5
    """,
    "REGRESSION": """
        + architecture.family=lstm
        + architecture.recurrent_layers=2
        + architecture.units=50
        + architecture.activation=tanh
        + size.features=7
        + training.loss=mse
        + training.epochs=60
        - training.epochs=30
        + training.batch_size=256
        + training.schedule=one_cycle
        + training.learning_rate=0.005
        + training.dropout=0.2
        + metric.metric=mae
    """,
    "FINE_TUNED": """
        + architecture.backbone=resnet18
        - architecture.backbone=resnet50
        + architecture.weights=pretrained
        + architecture.frozen=true
        + classes.count=7
        + training.momentum=0.9
        + training.epochs=5
        + training.batch_size=8
    """,
    "TWO_LESSONS": """
        + architecture.hidden_layers=16
        + training.optimizer=adam
        - training.optimizer=sgd
        + training.learning_rate=0.02
        - training.learning_rate=0.5
        + training.epochs=50
        - training.epochs=3
    """,
}


SELF_ATTENTION = """
import torch
from torch import nn
NUM_BLOCKS = 4
VOCAB_SIZE = 60
class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(16, 48)
    def forward(self, x):
        queries, keys, values = self.project(x).chunk(3, dim=-1)
        return (queries @ keys.transpose(-2, -1)).softmax(dim=-1) @ values
class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(VOCAB_SIZE, 16)
        self.blocks = nn.Sequential(*[SelfAttention() for _ in range(NUM_BLOCKS)])
        self.output = nn.Linear(16, VOCAB_SIZE)
    def forward(self, numbers):
        return self.output(self.blocks(self.words(numbers)))
model = GPT()
"""


def test_attention_in_own_lines_is_a_transformer() -> None:
    assert checked("architecture.family=transformer", SELF_ATTENTION).outcome == "met"
    assert checked("architecture.encoder_layers=4", SELF_ATTENTION).outcome == "met"


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ('print(f"held-out peak signal-to-noise ratio in dB: {evaluate(model):.2f}")', "met"),
        ('print(f"held-out accuracy: {evaluate(model):.2f}")', "not_met"),
        ('print("held-out peak signal-to-noise ratio in dB: good")', "not_met"),
    ],
)
def test_a_metric_counts_where_its_value_is_computed_in_the_result(line: str, outcome: str) -> None:
    source = f"import torch\nmodel = torch.nn.Linear(3, 1)\n{line}\n"
    assert checked("metric.metric=psnr", source).outcome == outcome
