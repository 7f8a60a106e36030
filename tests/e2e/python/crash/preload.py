"""The library that stands between the server and the kernel, and the file that steers it."""

import errno
import mmap
import os
import struct
from pathlib import Path

from harness.server import find_binary

LIBRARY = "libabide_faults.so"
NUMBER = struct.Struct("=q")
READ, WRITE, SYNC, CLOCK, INJECTED = range(5)
"""The numbers of the file, in the order in which `crates/faults` has them."""
NS_PER_S = 1_000_000_000


def find_library() -> Path:
    """The library: ABIDE_FAULTS_LIBRARY, else the one that was built beside the server."""
    named = os.environ.get("ABIDE_FAULTS_LIBRARY")
    path = Path(named).resolve() if named else find_binary().with_name(LIBRARY)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: build it with `cargo build --package abide-faults`")
    return path


class Preload:
    """What fails in a process that was started with `environment`."""

    def __init__(self, control_file: Path, data: Path) -> None:
        control_file.write_bytes(bytes(NUMBER.size * (INJECTED + 1)))
        with control_file.open("r+b") as file:
            self._numbers = mmap.mmap(file.fileno(), 0)
        self.environment = {
            "LD_PRELOAD": str(find_library()),
            "ABIDE_FAULTS_CONTROL": str(control_file),
            "ABIDE_FAULTS_DIRECTORY": str(data.resolve()),
        }

    def fail(self, sort: int, number: int = errno.EIO) -> None:
        """Lets all calls of a sort fail with an error number; 0 lets them succeed again."""
        self._set(sort, number)

    def mend(self) -> None:
        """Lets all calls succeed. The clock stays as it is."""
        for sort in (READ, WRITE, SYNC):
            self._set(sort, 0)

    def move_clock(self, by_s: float) -> None:
        """Sets the wall clock that much from the real one."""
        self._set(CLOCK, int(by_s * NS_PER_S))

    def injected(self) -> int:
        """How many calls failed by this so far."""
        return NUMBER.unpack_from(self._numbers, INJECTED * NUMBER.size)[0]

    def _set(self, index: int, number: int) -> None:
        NUMBER.pack_into(self._numbers, index * NUMBER.size, number)
