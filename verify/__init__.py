"""Claims about the theory, the evidence for them, and the verdicts.

A `Claim` (`verify.claim`) measures a quantity beside its bound and yields `Finding`s, which `verify.verdict.judge`
judges. `verify.evidence` is how things are measured, `verify.claims` what is measured, `verify.running` how a run goes
on in any number of processes, `verify.reporting` what is shown of it; `verify.suite.verify` does a whole run, as
`python -m verify` does from the command line.
"""
