"""The shipped linkage schemas, one JSON file each."""
