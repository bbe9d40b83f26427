"""Encoding: atoms in, keys and anchored sketches out. The only place where personal data and the key meet."""

from frankpledge.encode.encoder import Encoder

__all__ = ["Encoder"]
