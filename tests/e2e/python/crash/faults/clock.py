"""The machine's clock is set while the server runs."""

from crash.rig import Rig

FAR_S = 3600.0
NEAR_S = 3.0
"""Before a restart: a deadline from before waits for as long as the clock was set back."""


async def clock_forward(rig: Rig) -> None:
    """What is due by the new clock happens; nothing else changes."""
    rig.outcome.how = f"the clock is set {FAR_S:.0f} s ahead"
    await rig.start()
    rig.preload.move_clock(FAR_S)
    rig.did(f"went on in {await rig.busy():.1f} s")
    rig.server.kill()
    await rig.restart()
    await rig.finish()


async def clock_back(rig: Rig) -> None:
    """Timers of before and after the step fire: the server's own time only slows down."""
    rig.outcome.how = (
        f"the clock is set {NEAR_S:.0f} s back before a start, then {FAR_S:.0f} s back"
    )
    await rig.start()
    rig.server.kill()
    rig.preload.move_clock(-NEAR_S)
    await rig.restart()
    rig.preload.move_clock(-NEAR_S - FAR_S)
    rig.did(f"after the second step went on in {await rig.busy():.1f} s")
    await rig.finish()


FAULTS = {"clock-forward": clock_forward, "clock-back": clock_back}
