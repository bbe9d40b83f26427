"""One module for each tool that is compared: it links two files and prints what came of it, in a process of its own.

Peers are installed into `.venv-peers` (`make bench-peers`), whose Python runs their modules: they need other versions
of libraries than the project. These modules import nothing of the project but `benchmarks.peers.common`.
"""
