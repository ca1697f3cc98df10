# %% [markdown]
# # A deep Q-network that balances a pole
# A pole stands on a cart that is pushed left or right. The network tells what either push is worth; it learns from
# moves that are drawn from a memory, while a target network that changes seldom keeps it steady.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
# Nothing is read: the environment is written out below (gymnasium has the same as "CartPole-v1").
HIDDEN_UNITS = [64, 64]
GAMMA = 0.99  # what a reward is worth one step later
EPSILON_START = 1.0  # the share of random pushes, at the beginning and at the end
EPSILON_END = 0.05
EPSILON_STEPS = 6000  # over which it falls
MEMORY_SIZE = 20000
TARGET_EVERY = 200  # steps after which the target network becomes the same as the other
LEARN_EVERY = 2  # steps of the environment for one of learning
LONGEST_EPISODE = 500
TEST_EPISODES = 20
BATCH_SIZE = 64
EPISODES = 400
LEARNING_RATE = 0.001

SMOKE_RUN = os.environ.get("FULL_TRAINING", "") == ""  # set FULL_TRAINING=1 for all EPISODES
if SMOKE_RUN:
    print("A SHORT RUN: set the environment variable FULL_TRAINING=1 for the full training.")
    EPISODES = min(EPISODES, 110)
    EPSILON_STEPS = min(EPSILON_STEPS, 1500)
    TEST_EPISODES = min(TEST_EPISODES, 10)
    LONGEST_EPISODE = min(LONGEST_EPISODE, 200)


# %% Preprocessing
class CartPole:
    """The physics of Barto, Sutton and Anderson (1983): the state is place, speed, angle and turning of the pole."""

    actions = ("left", "right")

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def reset(self):
        """A new episode from near the upright position; its first state."""
        self.state = self.rng.uniform(-0.05, 0.05, size=4).astype("float32")
        self.steps = 0
        return self.state

    def step(self, action):
        """A push: the new state, the reward of 1, and whether the pole has fallen or the cart has left the track."""
        place, speed, angle, turning = self.state
        force = 10.0 if action == 1 else -10.0
        pushed = (force + 0.05 * turning**2 * np.sin(angle)) / 1.1  # masses: cart 1, pole 0.1; half the length 0.5
        bent = (9.8 * np.sin(angle) - np.cos(angle) * pushed) / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1))
        driven = pushed - 0.05 * bent * np.cos(angle) / 1.1
        changes = np.array([speed, driven, turning, bent])
        self.state = (self.state + 0.02 * changes).astype("float32")
        self.steps += 1
        fallen = abs(self.state[0]) > 2.4 or abs(self.state[2]) > 12 * np.pi / 180
        return self.state, 1.0, bool(fallen)


class ReplayMemory:
    """The last MEMORY_SIZE moves, as arrays that the oldest are overwritten in."""

    def __init__(self, size):
        self.states = np.zeros((size, 4), dtype="float32")
        self.new_states = np.zeros((size, 4), dtype="float32")
        self.actions = np.zeros(size, dtype="int32")
        self.rewards = np.zeros(size, dtype="float32")
        self.fallen = np.zeros(size, dtype="float32")
        self.count = 0

    def add(self, state, action, reward, new_state, fallen):
        place = self.count % len(self.actions)
        self.states[place], self.new_states[place] = state, new_state
        self.actions[place], self.rewards[place], self.fallen[place] = action, reward, fallen
        self.count += 1

    def draw(self, rng):
        """A batch of moves at random."""
        chosen = rng.integers(min(self.count, len(self.actions)), size=BATCH_SIZE)
        arrays = (self.states, self.actions, self.rewards, self.new_states, self.fallen)
        return [tf.constant(array[chosen]) for array in arrays]


environment = CartPole(seed=0)
memory = ReplayMemory(MEMORY_SIZE)
rng = np.random.default_rng(42)
NUM_ACTIONS = len(CartPole.actions)


# %% Model
def build_model():
    """States to the worth of each push."""
    model = keras.Sequential([keras.Input(shape=(4,))])
    for units in HIDDEN_UNITS:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(NUM_ACTIONS))
    return model


model, target_model = build_model(), build_model()
target_model.set_weights(model.get_weights())
model.summary()

# %% Compile
optimizer = keras.optimizers.Adam(learning_rate=LEARNING_RATE)
loss_function = keras.losses.Huber()


# %% Train
@tf.function
def learn(states, actions, rewards, new_states, fallen):
    """One step on a batch of moves: a move is worth its reward and the best that can follow, nothing after a fall."""
    later = tf.reduce_max(target_model(new_states), axis=1)
    wanted = rewards + GAMMA * later * (1.0 - fallen)
    with tf.GradientTape() as tape:
        worth = tf.reduce_sum(model(states) * tf.one_hot(actions, NUM_ACTIONS), axis=1)
        loss = loss_function(wanted, worth)
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return loss


@tf.function
def worth_of(states):
    return model(states)


def predict(state):
    """The better push in a state: 0 to the left, 1 to the right."""
    return int(np.argmax(worth_of(tf.constant(state[None]))[0]))


def evaluate(choose, episodes, seed):
    """How many steps the pole stands, a number for each episode."""
    world, lengths = CartPole(seed), []
    for _ in range(episodes):
        state, fallen = world.reset(), False
        while not fallen and world.steps < LONGEST_EPISODE:
            state, _, fallen = world.step(choose(state))
        lengths.append(world.steps)
    return np.array(lengths)


history = {"return": [], "epsilon": []}
total_steps, best_return = 0, 0.0
for episode in range(EPISODES):
    state, fallen = environment.reset(), False
    while not fallen and environment.steps < LONGEST_EPISODE:
        epsilon = EPSILON_START + (EPSILON_END - EPSILON_START) * min(1.0, total_steps / EPSILON_STEPS)
        action = int(rng.integers(NUM_ACTIONS)) if rng.random() < epsilon else predict(state)
        new_state, reward, fallen = environment.step(action)
        memory.add(state, action, reward, new_state, fallen)
        state = new_state
        total_steps += 1
        if memory.count >= BATCH_SIZE and total_steps % LEARN_EVERY == 0:
            learn(*memory.draw(rng))
        if total_steps % TARGET_EVERY == 0:
            target_model.set_weights(model.get_weights())
    history["return"].append(environment.steps)
    history["epsilon"].append(epsilon)
    recent = np.mean(history["return"][-10:])
    if episode >= 9 and recent > best_return:
        best_return = recent
        model.save("model.keras")  # the best so far
    if episode % 10 == 9:
        print(f"episode {episode + 1}: mean return of ten {recent:.1f}, random pushes {epsilon:.2f}")
model = keras.models.load_model("model.keras") if best_return else model

# %% Evaluate
by_network = evaluate(lambda state: int(np.argmax(model(state[None])[0])), TEST_EPISODES, seed=1)
by_chance = evaluate(lambda state: int(rng.integers(NUM_ACTIONS)), TEST_EPISODES, seed=1)
print(
    f"held-out mean return of new episodes: {by_network.mean():.4f} "
    f"(baseline, random pushes in every state of an episode: {by_chance.mean():.4f})"
)
pd.DataFrame({"episode": range(1, TEST_EPISODES + 1), "return": by_network}).to_csv("predictions.csv", index=False)

# %% Show
plt.figure(figsize=(7, 4))
plt.plot(history["return"], linewidth=0.8, label="episode")
plt.plot(pd.Series(history["return"]).rolling(10).mean(), label="mean of ten")
plt.axhline(by_chance.mean(), color="grey", linestyle=":", label="random pushes")
plt.xlabel("episode")
plt.ylabel("steps that the pole stands")
plt.legend()
plt.savefig("training.png")
plt.show()
