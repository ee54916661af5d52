"""Examine somebody's own MAML: is what it returns the meta-gradient, and if not, which known mistake is it?

`check.check` calls the implementation at every cell (`cells`), `diagnosis.diagnose` holds what it returned against the
meta-gradient and against the catalogue of `mistakes`, `report` says it in a table and a line.
"""
