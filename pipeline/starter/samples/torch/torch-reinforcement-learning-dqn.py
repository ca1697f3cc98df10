# %% [markdown]
# # A deep Q-network in a gridworld
# An agent walks on a grid, is paid for reaching the goal and fined for falling into a pit. A network tells for each
# state what each action is worth; it learns from what was lived through before, a target network holding it steady.

# %% Imports
import collections
import os
import random

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
GRID_FILE = "grid.txt"  # a line a row: "#" wall, "P" pit, "G" goal, "." free; the agent starts anywhere that is free
HIDDEN_UNITS = [64, 64]
GAMMA = 0.95  # what a reward is worth one step later
EPSILON_START = 1.0  # the share of random actions, at the beginning and at the end
EPSILON_END = 0.05
MEMORY_SIZE = 10000
TARGET_EVERY = 200  # steps after which the target network becomes the same as the other
LONGEST_EPISODE = 60
EPISODES_PER_EPOCH = 20
TEST_EPISODES = 200
BATCH_SIZE = 64
EPOCHS = 60
LEARNING_RATE = 0.001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)
random.seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 64)


# %% Data: files
def load_grid():
    """The grid as rows of characters."""
    if SYNTHETIC:
        print(f"NO FOLDER {DATA_DIR!r}: this is a made-up grid, not yours.")
        return ["......", ".##.P.", ".#..#.", "...P#.", ".#....", "....PG"]
    path = os.path.join(DATA_DIR, GRID_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and GRID_FILE to where your grid lies")
    with open(path, encoding="utf-8") as stream:
        return [line.strip() for line in stream if line.strip()]


grid = load_grid()
HEIGHT, WIDTH = len(grid), len(grid[0])
free = [(row, column) for row in range(HEIGHT) for column in range(WIDTH) if grid[row][column] == "."]
if len(set(map(len, grid))) != 1 or not free or not any("G" in line for line in grid):
    raise SystemExit(f"{GRID_FILE}: lines of equal length are needed, with a free place and a goal")
print("\n".join(grid))

# %% Preprocessing
ACTIONS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
NUM_ACTIONS = len(ACTIONS)
MOVES = list(ACTIONS.values())


class Gridworld:
    """The world that the agent acts in."""

    def reset(self):
        """A new episode at a free place drawn at random; the state."""
        self.place = random.choice(free)
        self.steps = 0
        return self.state()

    def state(self):
        """The place as zeros and a one."""
        state = torch.zeros(HEIGHT * WIDTH)
        state[self.place[0] * WIDTH + self.place[1]] = 1.0
        return state

    def step(self, action):
        """One move: the new state, the reward, and whether the episode is over. Walls and borders do not give way."""
        self.steps += 1
        row, column = self.place[0] + MOVES[action][0], self.place[1] + MOVES[action][1]
        if 0 <= row < HEIGHT and 0 <= column < WIDTH and grid[row][column] != "#":
            self.place = (row, column)
        here = grid[self.place[0]][self.place[1]]
        reward = {"G": 1.0, "P": -1.0}.get(here, -0.02)
        return self.state(), reward, here in "GP"


world = Gridworld()
memory = collections.deque(maxlen=MEMORY_SIZE)


# %% Model
def build_model():
    """States to the worth of each action."""
    layers = []
    width = HEIGHT * WIDTH
    for units in HIDDEN_UNITS:
        layers += [nn.Linear(width, units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, NUM_ACTIONS)).to(DEVICE)


model, target_model = build_model(), build_model()
target_model.load_state_dict(model.state_dict())
print(model)

# %% Loss and optimizer
criterion = nn.SmoothL1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
@torch.no_grad()
def predict(state):
    """The best action in a state."""
    return model(state.to(DEVICE)).argmax().item()


def learn():
    """One step on moves drawn from memory; the loss."""
    states, actions, rewards, new_states, over = zip(*random.sample(memory, BATCH_SIZE), strict=True)
    states, new_states = torch.stack(states).to(DEVICE), torch.stack(new_states).to(DEVICE)
    rewards, over = torch.tensor(rewards, device=DEVICE), torch.tensor(over, device=DEVICE)
    worth = model(states).gather(1, torch.tensor(actions, device=DEVICE).unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        # The worth of a move is its reward and the best that can come after it; nothing comes after the end.
        later = target_model(new_states).max(dim=1).values
        wanted = rewards + GAMMA * later * ~over
    loss = criterion(worth, wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train_epoch(epsilon):
    """EPISODES_PER_EPOCH episodes, with a share of random moves; the mean loss."""
    global total_steps
    losses = []
    for _ in range(EPISODES_PER_EPOCH):
        state, over = world.reset(), False
        while not over and world.steps < LONGEST_EPISODE:
            action = random.randrange(NUM_ACTIONS) if random.random() < epsilon else predict(state)
            new_state, reward, over = world.step(action)
            memory.append((state, action, reward, new_state, over))
            state = new_state
            total_steps += 1
            if len(memory) >= BATCH_SIZE:
                losses.append(learn())
            if total_steps % TARGET_EVERY == 0:
                target_model.load_state_dict(model.state_dict())
    return np.mean(losses) if losses else float("nan")


def evaluate(choose):
    """The mean sum of rewards over TEST_EPISODES episodes, and the share that reach the goal."""
    returns, reached = [], 0
    for _ in range(TEST_EPISODES):
        state, over, total = world.reset(), False, 0.0
        while not over and world.steps < LONGEST_EPISODE:
            state, reward, over = world.step(choose(state))
            total += reward
        returns.append(total)
        reached += over and reward > 0
    return np.mean(returns), reached / TEST_EPISODES


total_steps = 0
history = {"loss": [], "return": []}
for epoch in range(EPOCHS):
    epsilon = EPSILON_START + (EPSILON_END - EPSILON_START) * epoch / max(1, EPOCHS - 1)
    history["loss"].append(train_epoch(epsilon))
    mean_return, reached = evaluate(predict)
    if mean_return > max(history["return"], default=-np.inf):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    history["return"].append(mean_return)
    print(f"epoch {epoch + 1}: random {epsilon:.2f}, return {mean_return:.3f}, goal reached {reached:.1%}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
mean_return, reached = evaluate(predict)
random_return, _ = evaluate(lambda state: random.randrange(NUM_ACTIONS))
print(f"the goal is reached in {reached:.1%} of {TEST_EPISODES} episodes")
print(
    f"held-out mean return of new episodes: {mean_return:.4f} "
    f"(baseline, random actions in every state of an episode: {random_return:.4f})"
)

# %% Show
best = {}
for row, column in free:
    world.place = (row, column)
    best[row, column] = list(ACTIONS)[predict(world.state())]
table = pd.DataFrame([(row, column, action) for (row, column), action in best.items()])
table.to_csv("predictions.csv", index=False, header=["row", "column", "action"])
arrows = {"up": "^", "down": "v", "left": "<", "right": ">"}
for row, line in enumerate(grid):
    print("".join(arrows[best[row, column]] if (row, column) in best else line[column] for column in range(WIDTH)))
plt.plot(history["return"], marker="o")
plt.axhline(random_return, color="grey", linestyle=":", label="random actions")
plt.xlabel("epoch")
plt.ylabel("mean return")
plt.legend()
plt.savefig("training.png")
plt.show()
