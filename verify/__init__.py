"""Claims about the theory, the evidence for them, and the verdicts.

A `Claim` measures a quantity beside its bound and yields `Finding`s, each of which becomes a `Record` with its verdict.
`verify(Selection(...), directory)` does a whole run, as `python -m verify` does from the command line, and gives its
`Summary`; `bound` makes a claim of your own, with another bound; `assert_claims` is for tests; `read` reads the records
of a run.

`verify.evidence` is how things are measured, `verify.claims` what is measured, `verify.running` how a run goes on in
any number of processes, `verify.reporting` what is shown of it.
"""

from verify.siblings import load_sibling

load_sibling("theory")
load_sibling("problems")

# ruff: noqa: E402  (the siblings come before all that imports them)
from verify.assertion import assert_claims
from verify.cell import Cell
from verify.claim import Claim, Mutant
from verify.own_bound import bound
from verify.reporting.ledger import Summary
from verify.running.records import Record, RunError, read
from verify.running.selection import Selection
from verify.suite import verify
from verify.verdict import Finding

__all__ = [
    "Cell",
    "Claim",
    "Finding",
    "Mutant",
    "Record",
    "RunError",
    "Selection",
    "Summary",
    "assert_claims",
    "bound",
    "read",
    "verify",
]
