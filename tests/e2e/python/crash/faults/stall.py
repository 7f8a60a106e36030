"""The process stands still, as it does when its machine is suspended or starved."""

import asyncio
import signal

from crash.rig import Rig

STALL_S = 30.0
BRIEF_S = 3.0


async def stall(rig: Rig) -> None:
    """Everything goes on by itself afterwards: timers fire late, polls are polled again."""
    stall_s = BRIEF_S if rig.brief else STALL_S
    rig.outcome.how = f"SIGSTOP, SIGCONT after {stall_s:.0f} s"
    await rig.start()
    rig.server.send(signal.SIGSTOP)
    await asyncio.sleep(stall_s)
    rig.server.send(signal.SIGCONT)
    rig.did(f"went on by itself in {await rig.busy():.1f} s")
    await rig.finish()


FAULTS = {"stall": stall}
