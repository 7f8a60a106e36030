"""The disk runs full under load, and has room again later."""

import errno
import os
import subprocess
from pathlib import Path

from crash.preload import WRITE
from crash.rig import Rig

VOLUME_BYTES = 256 * 1024 * 1024


def mount(volume: Path) -> bool:
    """Puts a small disk in memory there, if this user may."""
    line = ["mount", "-t", "tmpfs", "-o", f"size={VOLUME_BYTES}", "tmpfs", str(volume)]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


def fill(ballast: Path) -> None:
    """Takes every byte that is left."""
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


async def disk_full(rig: Rig) -> None:
    """The server ends, says that there is no space, and says so again as long as there is none."""
    mounted = mount(rig.volume)
    try:
        await full_and_free(rig, mounted)
    finally:
        rig.server.kill()
        if mounted:
            subprocess.run(["umount", "--lazy", str(rig.volume)], check=True)


async def full_and_free(rig: Rig, mounted: bool) -> None:
    ballast = rig.volume / "ballast"

    def full() -> None:
        if mounted:
            fill(ballast)
        else:
            rig.preload.fail(WRITE, errno.ENOSPC)

    size = f"a disk of {VOLUME_BYTES >> 20} MiB in memory is filled up"
    rig.outcome.how = size if mounted else "writes fail with ENOSPC: no disk could be mounted"
    await rig.start()
    full()
    words = await rig.ends()
    rig.expect(os.strerror(errno.ENOSPC) in words, "the last words do not say why")
    full()
    words = await rig.refuses_to_start()
    rig.expect(os.strerror(errno.ENOSPC) in words, "the refusal does not say why")
    rig.preload.mend()
    ballast.unlink(missing_ok=True)
    await rig.restart()
    await rig.finish()


FAULTS = {"disk-full": disk_full}
