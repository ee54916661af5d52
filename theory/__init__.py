"""The convergence theory of multi-step MAML (Ji, Yang, Liang, 2022), executable."""
