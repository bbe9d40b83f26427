"""A key custodian, which not every scheme has: without its help, value by value, nobody encodes, nor tries out guesses.

Optional and off by default (`pip install frankpledge[custodian]`): see the threat model for what it buys and costs.
"""
