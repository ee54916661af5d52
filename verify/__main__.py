"""`python -m verify`, and the script `maml-verify`."""

from verify.commands.main import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="python -m verify")


if __name__ == "__main__":
    main()
