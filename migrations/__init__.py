"""The migrations of the pool's tables, run by Alembic: `frankpledge-admin migrate`."""
