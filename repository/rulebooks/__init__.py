"""Rulebook files that ship with the service."""
