"""Programs of PyTorch as people write them, with what each states as its author read it. Written for these tests."""

HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
"""

MNIST = (
    HEAD
    + """
from torch import optim
from torch.optim.lr_scheduler import StepLR

class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.fc2 = nn.Linear(128, 10)
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.fc1 = nn.Linear(9216, 128)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)

def train(model, device, loader, optimizer, epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()

def main():
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)
    model = Net().to(device)
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(1, 14 + 1):
        train(model, device, train_loader, optimizer, epoch)
        test(model, device, test_loader)
        scheduler.step()
    torch.save(model.state_dict(), "mnist_cnn.pt")

if __name__ == "__main__":
    main()
"""
)

RESIDUAL = (
    HEAD
    + """
from tqdm import tqdm
config = {"epochs": 40, "batch_size": 128, "lr": 0.1}

class Block(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(cout)
        self.act = nn.ReLU(inplace=True)
        self.short = nn.Conv2d(cin, cout, 1, stride=stride)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)) + self.short(x))

class ResNet(nn.Module):
    def __init__(self, widths=(16, 32)):
        super().__init__()
        self.blocks = nn.ModuleList()
        c = 3
        for w in widths:
            self.blocks.append(Block(c, w, stride=2))
            c = w
        self.head = nn.Linear(c, 100)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))

loader = DataLoader(data, config["batch_size"], shuffle=True)
model = torch.compile(ResNet().cuda())
opt = torch.optim.SGD(model.parameters(), lr=config["lr"], momentum=0.9, weight_decay=5e-4, nesterov=True)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=config["epochs"])
scaler = torch.cuda.amp.GradScaler()
crit = nn.CrossEntropyLoss(label_smoothing=0.1)
for e in tqdm(range(config["epochs"])):
    for x, y in loader:
        opt.zero_grad(set_to_none=True)
        with torch.cuda.amp.autocast():
            loss = crit(model(x.cuda()), y.cuda())
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        scaler.step(opt)
        scaler.update()
    sched.step()
"""
)

EARLY = (
    HEAD
    + """
from sklearn.metrics import f1_score
BS, LR, PATIENCE, N_EPOCHS = 16, 3e-4, 7, 200
model = nn.Sequential(
    nn.Linear(30, 64), nn.LeakyReLU(0.1), nn.BatchNorm1d(64), nn.Dropout(p=0.4),
    nn.Linear(64, 1),
)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.01)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)
train_loader = DataLoader(train_ds, batch_size=BS, shuffle=True)
best, bad = float("inf"), 0
for i in range(N_EPOCHS):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
    val_loss = validate()
    plateau.step(val_loss)
    if val_loss < best:
        best, bad = val_loss, 0
        torch.save(model.state_dict(), "best.pt")
    else:
        bad += 1
        if bad >= PATIENCE:
            break
"""
)

GAN = (
    HEAD
    + """
class Generator(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, 64, 4, 1, 0), nn.ReLU(True), nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh()
        )
    def forward(self, z):
        return self.main(z)

class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 1, 4), nn.Sigmoid())
    def forward(self, x):
        return self.main(x).view(-1)

netG, netD = Generator(100), Discriminator()
criterion = nn.BCELoss()
optimizerG = torch.optim.Adam(netG.parameters(), lr=0.0002, betas=(0.5, 0.999))
optimizerD = torch.optim.Adam(netD.parameters(), lr=0.0004, betas=(0.5, 0.999))
dataloader = DataLoader(dataset, batch_size=128, shuffle=True)
for epoch in range(25):
    for real in dataloader:
        netD.zero_grad()
        errD = criterion(netD(real), ones)
        errD.backward()
        optimizerD.step()
"""
)

LIGHTNING = """
import torch
from torch import nn
import pytorch_lightning as pl

class LitTagger(pl.LightningModule):
    def __init__(self, vocab=5000, hidden=64, lr=2e-3):
        super().__init__()
        self.embed = nn.Embedding(vocab, 32)
        self.rnn = nn.GRU(32, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, 9)
        self.loss = nn.CrossEntropyLoss(ignore_index=-100)
        self.lr = lr

    def forward(self, tokens):
        states, _ = self.rnn(self.embed(tokens))
        return self.out(states)

    def training_step(self, batch, _):
        tokens, tags = batch
        loss = self.loss(self(tokens).transpose(1, 2), tags)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.RMSprop(self.parameters(), lr=self.lr)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.95)]

loader = torch.utils.data.DataLoader(train, batch_size=24, shuffle=True)
stop = pl.callbacks.EarlyStopping("val_loss", patience=4)
trainer = pl.Trainer(max_epochs=12, gradient_clip_val=0.5, callbacks=[stop])
trainer.fit(LitTagger(), loader)
"""

ARGPARSE = (
    HEAD
    + """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--epochs", type=int, default=9)
args = parser.parse_args()
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    for x, y in loader:
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
"""
)

REGRESSION = (
    HEAD
    + """
class Forecaster(nn.Module):
    def __init__(self, features, hidden=50, layers=2):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, layers, batch_first=True, dropout=0.2)
        self.head = nn.Sequential(nn.Linear(hidden, 25), nn.Tanh(), nn.Linear(25, 1))

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])

def fit(net, loader, epochs=30, lr=0.005):
    optim = torch.optim.Adam(net.parameters(), lr=lr)
    loss_fn = nn.MSELoss()
    onecycle = torch.optim.lr_scheduler.OneCycleLR(optim, max_lr=0.05, epochs=epochs, steps_per_epoch=len(loader))
    for _ in range(epochs):
        total = 0
        for x, y in loader:
            optim.zero_grad()
            loss = loss_fn(net(x), y)
            loss.backward()
            optim.step()
            onecycle.step()
    mae = evaluate(net)

batch_size = 256
net = Forecaster(features=7)
fit(net, DataLoader(series, batch_size=batch_size), epochs=60)
"""
)

FINE_TUNED = (
    HEAD
    + """
from torchvision import models
backbone = models.resnet18(weights="DEFAULT")
for p in backbone.parameters():
    p.requires_grad = False
backbone.fc = nn.Linear(512, 7)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(filter(lambda p: p.requires_grad, backbone.parameters()), lr=0.001, momentum=0.9)
for epoch in range(5):
    for x, y in DataLoader(ds, batch_size=8, shuffle=True):
        loss = loss_fn(backbone(x), y)
        loss.backward()
        optimizer.step()
"""
)

TWO_LESSONS = (
    HEAD
    + """
linear = nn.Linear(4, 3)
optimizer = torch.optim.SGD(linear.parameters(), lr=0.5)
for epoch in range(3):
    loss = F.cross_entropy(linear(x), y)
    loss.backward()
    optimizer.step()

mlp = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(mlp.parameters(), lr=0.02)
for epoch in range(50):
    loss = F.cross_entropy(mlp(x), y)
    loss.backward()
    optimizer.step()
"""
)

KERAS_ALONE = """
from tensorflow import keras
model = keras.Sequential([keras.layers.Dense(3)])
model.compile("adam", "mse")
"""
