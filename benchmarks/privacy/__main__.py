"""What attackers get out of the encoding: `python -m benchmarks.privacy --json` (minutes), `--quick` (under a minute).

Runs the published attacks, as code of our own, against our encodings and against Bloom filters as clkhash makes them,
in the same run. `graph_matching` and `frequency` are rates from 0 to 1, each attack at its best, of the default schema;
`other_schemas` has them of the others; `detail` has the same with chance, confidence interval and numbers. What the
views and attacks are is in docs/threat-model.md.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.machine import show
from benchmarks.privacy.report import report


def main() -> None:
    """Attack, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.privacy", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the most telling attacks on FEBRL, in under a minute")
    parser.add_argument("--people", type=int, default=2500, help="in each of the two tables that are matched")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args()
    started, used = time.monotonic(), time.process_time()
    found = report(options.people, quick=options.quick)
    spent = {"wall": round(time.monotonic() - started, 1), "processor": round(time.process_time() - used, 1)}
    show({"benchmark": "privacy", **found, "seconds": spent})


if __name__ == "__main__":
    main()
