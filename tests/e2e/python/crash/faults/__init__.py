"""The faults: each is a coroutine `(Rig) -> None` in a module of this package, under the name that
the module's `FAULTS` gives it. A new one needs its file and nothing else."""

import importlib
import pkgutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from crash.report import Outcome
from crash.rig import Rig, Size

Fault = Callable[[Rig], Awaitable[None]]


def _find() -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        found |= importlib.import_module(module.name).FAULTS
    return found


FAULTS = _find()


async def run(name: str, directory: Path, size: Size) -> Outcome:
    """Runs the load, lets one fault happen to it, mends that, and checks everything."""
    own = directory / name
    own.mkdir()
    outcome = Outcome(name)
    begun = time.monotonic()
    rig = Rig(own, outcome, size)
    try:
        await FAULTS[name](rig)
    finally:
        rig.server.kill()
    outcome.took_s = round(time.monotonic() - begun, 1)
    return outcome
