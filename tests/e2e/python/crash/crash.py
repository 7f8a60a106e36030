"""Breaks a server under load, then checks that nothing it confirmed is lost and all goes on.

    python crash.py --kills 1000        kill -9 of the server and of its workers
    python crash.py --faults            every other fault once, as a table
    python crash.py --fault stall       one of them
    python crash.py --open-runs 30000   the time of a start with many open runs

Prints a report and exits with 1 if anything was lost, stuck or wrong.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from crash.faults import FAULTS, run
from crash.kills import Plan, crash
from crash.open_runs import measure
from crash.report import table
from crash.rig import Size


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--uptime-max", type=float, default=3.0, metavar="SECONDS")
    arguments.add_argument("--concurrency", type=int, default=64)
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments.add_argument("--open-runs", type=int, default=0)
    arguments.add_argument("--faults", action="store_true")
    arguments.add_argument("--fault", choices=FAULTS, action="append", default=[])
    arguments.add_argument("--brief", action="store_true", help="faults that last a few seconds")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if names := options.fault or (list(FAULTS) if options.faults else []):
            size = Size(options.seed, options.concurrency, options.brief)
            outcomes = []
            for name in names:
                outcomes.append(asyncio.run(run(name, Path(directory), size)))
                print(json.dumps(outcomes[-1].report(), indent=2), flush=True)
            print(table(outcomes))
            return 0 if all(outcome.good for outcome in outcomes) else 1
        if options.open_runs:
            report = asyncio.run(measure(Path(directory), options.open_runs))
        else:
            plan = Plan(options.kills, options.concurrency, options.seed, options.uptime_max)
            report = asyncio.run(crash(Path(directory), plan))
    print(json.dumps(report, indent=2))
    return 1 if report.get("violations") or report.get("lost") else 0


if __name__ == "__main__":
    sys.exit(main())
