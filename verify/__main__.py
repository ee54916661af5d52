"""`python -m verify`."""

from verify.commands.main import cli

if __name__ == "__main__":
    cli(prog_name="python -m verify")
