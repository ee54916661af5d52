"""Evidence: search for violations, confidence intervals, enumeration, rounding, audits, fits."""
