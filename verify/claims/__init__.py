"""Claims: one file per result of the paper, each with its check, its sharp instance and its mutants."""
