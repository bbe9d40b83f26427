"""Where the pool is kept: SQLAlchemy tables and queries, one module for each concept."""
