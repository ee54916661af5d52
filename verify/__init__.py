"""Claims about the theory, the evidence for them, and the verdicts."""
