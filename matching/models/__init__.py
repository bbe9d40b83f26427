"""The shipped linkage models, one JSON file each."""
