"""`python -m repository.cli` is frankpledge-admin."""

from repository.cli import main

if __name__ == "__main__":
    main()
