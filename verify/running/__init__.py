"""Running: from a selection of claims to records, in any number of processes, resumable."""
