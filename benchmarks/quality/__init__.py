"""How well linking works: this project's and its peers' quality on the same data, in the same run."""
