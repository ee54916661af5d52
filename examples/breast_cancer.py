"""Logistic regression on the Wisconsin breast cancer data: the finite-sum case, on data that nobody here made.

Run it with

    python -m verify run --problem examples/breast_cancer.py:diagnosis --profile quick

A task is a group of patients of similar tumour size; from ten of them it learns to tell malignant from benign, and is
tested on ten others. Smoothness follows from the data and is given; what is left out is estimated.
"""

import numpy as np

import problems
from problems.data import breast_cancer

FEATURES = (1, 4, 8, 9)  # mean texture, smoothness, symmetry and fractal dimension; size makes the tasks
TASKS = 4
SIZE = 10


def logistic_loss(x, y):
    """Mean logistic loss on data `x` (n, d) with labels `y` (n,) of −1 and +1."""

    def probability(w):  # of the wrong label: 1 / (1 + exp(margin)), which does not overflow in this form
        return 0.5 - 0.5 * np.tanh(y * (x @ w) / 2)

    def value(w):
        return np.logaddexp(0, -y * (x @ w)).mean()

    def gradient(w):
        return -(y * probability(w)) @ x / len(x)

    def hvp(w, v):
        p = probability(w)
        return (p * (1 - p) * (x @ v)) @ x / len(x)

    return problems.Task(value=value, gradient=gradient, hvp=hvp)


def diagnosis():
    """Four groups of patients, ten to train on and ten to test on."""
    features, malignant = breast_cancer()
    x = features[:, FEATURES]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = np.where(malignant, 1, -1)
    groups = np.array_split(np.argsort(features[:, 0], kind="stable"), TASKS)
    rng = np.random.default_rng(0)
    tasks, sets = [], []
    for group in groups:
        chosen = rng.choice(group, size=(2, SIZE), replace=False)
        train, test = chosen
        tasks.append({"train": logistic_loss(x[train], y[train]), "test": logistic_loss(x[test], y[test])})
        sets += [x[train], x[test]]
    norms = [np.linalg.norm(points, axis=1) for points in sets]
    return problems.from_functions(
        tasks,
        dim=len(FEATURES),
        constants={
            "L": max(np.linalg.norm(points.T @ points, 2) / (4 * SIZE) for points in sets),  # p(1 − p) ≤ 1/4
            "rho": max((norm**3).mean() for norm in norms) / (6 * np.sqrt(3)),  # |p(1 − p)(1 − 2p)| ≤ 1/(6√3)
            "gradient_bound": max(norm.mean() for norm in norms),
            "lower_bound": 0.0,
        },
        name="breast cancer",
        train_size=SIZE,
        test_size=SIZE,
    )
