"""Claims about the theory, the evidence for them, and the verdicts.

A `Claim` (`verify.claim`) measures a quantity beside its bound and yields `Finding`s, which `verify.verdict.judge`
judges. `verify.selection.plan` names the cells of a run, `verify.evaluation.evaluate` makes the records of one, in any
process, and `verify.session.verify` does a whole run, as `python -m verify` does from the command line.
"""
