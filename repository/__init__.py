"""The Frankpledge service: the pool that members file to and ask."""

__version__ = "0.1.0"
