"""Losses that an array library can differentiate: the suite's linear models as functions of one point.

`losses.tasks_of` gives tasks with `task.train(w)` and `task.test(w)`, scalar losses in the library of `w` (NumPy,
PyTorch, JAX); `instances` are those on which an implementation of MAML is examined.
"""
