"""`python -m frankpledge`: the same as the command `frankpledge`."""

from frankpledge.cli import main

main()
