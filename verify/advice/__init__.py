"""Advice on inner stepsizes for one problem: what the theorems certify beside what runs show."""

from verify.advice.advising import Advice, advise

__all__ = ["Advice", "advise"]
