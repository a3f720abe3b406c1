"""Runs one program and prints, as JSON, how it ended, how long it took and how much memory it held.

A process of its own with nothing imported, as a child's peak memory begins with its parent's size.

    python -I -S watched.py PROGRAM [ARGUMENT ...]
"""

import glob
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

_EVERY = 0.1  # seconds between two looks at the processes: a look takes milliseconds
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


def main(command: list[str]) -> None:
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        tree = _Tree(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        peak = max(tree.stop(), usage.ru_maxrss / 1024)
        said.seek(0)
        end = said.read()[-2000:].decode(errors="replace")
    ended = os.waitstatus_to_exitcode(status)
    print(json.dumps({"exit_code": ended, "seconds": seconds, "peak_mib": peak, "said": end}))


class _Tree:
    """Looks at a process and its descendants until told to stop."""

    def __init__(self, root: int) -> None:
        self._root, self._peak_mib, self._ended = root, 0.0, threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def stop(self) -> float:
        self._ended.set()
        self._watcher.join()
        return self._peak_mib

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY):
            self._peak_mib = max(self._peak_mib, sum(map(_resident_mib, _with_descendants(self._root))))


def _with_descendants(process: int) -> list[int]:
    """As they are now, parents first."""
    children: dict[int, list[int]] = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        if text := _text(stat):
            parent = int(text.rpartition(")")[2].split()[1])  # the name, in brackets, may hold anything
            children.setdefault(parent, []).append(int(stat.split("/")[2]))
    found = [process]
    for parent in found:
        found += children.get(parent, [])
    return found


def _resident_mib(process: int) -> float:
    sizes = _text(f"/proc/{process}/statm").split()
    return int(sizes[1]) * _PAGE_MIB if sizes else 0.0


def _text(file: str) -> str:
    """Empty when the process is gone."""
    try:
        with open(file) as opened:
            return opened.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


if __name__ == "__main__":
    main(sys.argv[1:])
