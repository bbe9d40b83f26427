"""The Frankpledge service: the pool that members file to and ask."""
