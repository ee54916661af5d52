"""`python -m figures`, and the script `maml-figures`."""

from figures.cli import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="python -m figures")


if __name__ == "__main__":
    main()
