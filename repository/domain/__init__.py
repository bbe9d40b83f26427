"""The rules of the scheme as pure functions: no clock, no environment, no database, no web framework."""
