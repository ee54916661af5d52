"""Reporting: ledger, tables, summaries, the page, the comparison of two runs."""
