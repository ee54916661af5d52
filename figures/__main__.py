"""`python -m figures`."""

from figures.cli import cli

if __name__ == "__main__":
    cli(prog_name="python -m figures")
