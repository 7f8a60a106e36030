"""The disk fails: reads, writes or syncs of the store's files get EIO."""

import errno
import os

from crash.preload import READ, SYNC, WRITE
from crash.rig import Rig

STONES = 40
"""More bytes than the store keeps in memory, so that some have to be read."""


async def eio_write(rig: Rig) -> None:
    """As with a full disk: nobody knows what the disk holds, so the server ends."""
    await ends_and_recovers(rig, WRITE, "writes fail with EIO")


async def eio_fsync(rig: Rig) -> None:
    """A sync that failed once proves nothing when it is tried again, so the server ends."""
    await ends_and_recovers(rig, SYNC, "syncs fail with EIO")


async def ends_and_recovers(rig: Rig, sort: int, how: str) -> None:
    rig.outcome.how = how
    await rig.start()
    rig.preload.fail(sort)
    words = await rig.ends()
    rig.expect(os.strerror(errno.EIO) in words, "the last words do not say why")
    words = await rig.refuses_to_start()
    rig.expect(os.strerror(errno.EIO) in words, "the refusal does not say why")
    rig.preload.mend()
    await rig.restart()
    await rig.finish()
    rig.expect(rig.preload.injected() > 0, "no call failed")


async def eio_read(rig: Rig) -> None:
    """What cannot be read is refused, and served again when it can; nothing is taken for absent."""
    rig.outcome.how = "reads fail with EIO"
    await rig.start()
    await rig.lay(STONES)
    rig.server.kill()
    await rig.restart()
    rig.preload.fail(READ)
    answers = await rig.read_stones()
    rig.preload.mend()
    rig.did(f"reads of {STONES} large runs: {answers}")
    rig.expect("UNAVAILABLE" in answers, "no read failed")
    rig.expect(set(answers) <= {"UNAVAILABLE", "as written"}, "a read got another status")
    rig.expect(str(rig.data) in rig.refusal, f"no place is named: {rig.refusal!r}")
    await serves_or_ends(rig)
    rig.preload.fail(READ)
    await rig.refuses_to_start()
    rig.preload.mend()
    await rig.restart()
    await all_written(rig)
    await rig.finish()


async def serves_or_ends(rig: Rig) -> None:
    """A server whose own thread met the fault, merging tables, ends; any other serves what is written."""
    answers = await rig.read_stones()
    rig.did(f"once mended: {answers}")
    if answers == {"as written": STONES}:
        rig.server.kill()
    else:
        rig.expect(set(answers) <= {"UNAVAILABLE", "as written"}, f"after the fault: {answers}")
        await rig.ends()


async def all_written(rig: Rig) -> None:
    answers = await rig.read_stones()
    rig.expect(answers == {"as written": STONES}, f"after the fault: {answers}")


FAULTS = {"eio-read": eio_read, "eio-write": eio_write, "eio-fsync": eio_fsync}
