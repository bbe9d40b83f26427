"""What the published attacks on private record linkage get out of our encoding, and out of Bloom filters beside it."""
