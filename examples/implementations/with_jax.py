"""MAML in JAX.

Examine it with

    python -m verify implementation examples/implementations/with_jax.py:meta_gradient
"""

import jax


def meta_gradient(tasks, w: jax.Array, alpha, N):
    """Differentiate a function that differentiates."""

    def objective(w):
        return sum(adapted_loss(task, w) for task in tasks) / len(tasks)

    def adapted_loss(task, w):
        for _ in range(N):
            w = w - alpha * jax.grad(task.train)(w)
        return task.test(w)

    return jax.grad(objective)(w)
