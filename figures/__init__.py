"""One picture per result: its data, then its drawing."""
