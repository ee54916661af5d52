"""Policy gradient on softmax bandits: the resampling case, from plain functions of one point.

Run it with

    python -m verify run --problem examples/softmax_bandit.py:bandit --profile quick

A policy plays arm `a` with probability `softmax(w)[a]`; a task is a bandit with its own mean rewards, and its loss is
minus the expected reward, whose gradient is the exact policy gradient. One datum is one round in which the rewards of
all arms are seen, with noise. All constants but the lower bound are left out: the suite estimates them and says so.
"""

import numpy as np

import problems

ARMS = 3
REWARDS = np.array([[1.0, 0.2, 0.5], [0.1, 0.9, 0.4], [0.6, 0.3, 0.8], [0.7, 0.5, 0.0]])
NOISE = 0.3


def task(rewards):
    """One bandit with given mean rewards, one an arm."""

    def policy(w):
        weights = np.exp(w - w.max())
        return weights / weights.sum()

    def value(w):
        return -policy(w) @ rewards

    def gradient(w):
        pi = policy(w)
        return -pi * (rewards - pi @ rewards)

    def hessian(w):
        pi = policy(w)
        advantage = pi * (rewards - pi @ rewards)
        return np.outer(advantage, pi) + np.outer(pi, advantage) - np.diag(advantage)

    def sample(rng):
        return task(rewards + NOISE * rng.choice([-1, 1], ARMS))

    return problems.Task(value=value, gradient=gradient, hessian=hessian, sample=sample)


def bandit():
    """Four bandits of three arms."""
    return problems.from_functions(
        [task(rewards) for rewards in REWARDS],
        dim=ARMS,
        constants={"lower_bound": -REWARDS.max(axis=1).mean()},
        name="softmax bandit",
    )
