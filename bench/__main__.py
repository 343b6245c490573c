"""`python -m bench`: every measurement beside its target, and a peer's in the same run where there is one.

Times are of this machine at this moment: quote ratios. `--only WORD` picks measurements by name,
`--python PATH` measures cold commands with another interpreter (one with the installed wheel), `--json` prints data.
"""

from __future__ import annotations

import argparse
import json
import sys

from bench.cold import cold_measurements
from bench.paths import path_measurements
from bench.signals import signal_measurements
from bench.stored import stored_measurements
from bench.sweeps import sweep_measurements
from bench.warm import warm_measurements


def main() -> int:
    """Run, print, and return 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = []
    for measure in (
        *cold_measurements(asked.python),
        *warm_measurements(),
        *sweep_measurements(),
        *signal_measurements(),
        *path_measurements(asked.python),
        *stored_measurements(),
    ):
        if asked.only in measure.name:
            result = measure.run()
            found.append(result)
            if not asked.json:
                print(result, flush=True)
    if asked.json:
        print(json.dumps([vars(result) for result in found], indent=2))
    return 1 if any(not result.met for result in found) else 0


if __name__ == "__main__":
    sys.exit(main())
