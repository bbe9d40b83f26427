"""Record linkage over encodings: a pure library, no clock, no environment, no web, no database."""
