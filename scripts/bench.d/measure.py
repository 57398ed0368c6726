"""Measuring: processes timed from outside, in interleaved rounds, and the table of what came out."""

import json
import os
import resource
import select
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

from engine import Failed

LIMIT = 120  # seconds that one measured process may take


class Processes:
    """Starts processes with nothing of this one's size or start-up in what is measured."""

    def __init__(self, directory, environment):
        self.errors = os.path.join(directory, "stderr")
        self.environment = environment
        self.alive = set()

    def start(self, argv, environment=None):
        """Starts a process whose output nobody reads. `posix_spawn` returns once the program is loaded."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, self.errors, flags, 0o600),
        ]
        pid = os.posix_spawn(argv[0], argv, environment or self.environment, file_actions=actions)
        self.alive.add(pid)
        return pid

    def finish(self, pid, argv, limit=LIMIT):
        """Waits for a process; a failure is an error with what it wrote to stderr."""
        descriptor = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            in_time = poll.poll(limit * 1000)
        finally:
            os.close(descriptor)
        if not in_time:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self.alive.discard(pid)
        if not in_time or status != 0:
            with open(self.errors, errors="replace") as file:
                words = file.read()[-2000:].strip()
            why = f"exit code {os.waitstatus_to_exitcode(status)}" if in_time else f"not done in {limit} s"
            raise Failed(f"{' '.join(argv)}: {why}\n{words}")

    def time(self, argv, environment=None):
        """Seconds from the start of a process to its end."""
        begin = time.perf_counter()
        self.finish(self.start(argv, environment), argv)
        return time.perf_counter() - begin

    def cpu(self, argv):
        """Seconds of processor time that a process uses from its start to its end."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.time(argv)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    def peak(self, argv):
        """The most memory a process had resident, in bytes.

        Read again and again while it lives, as it only grows. (What `wait` reports would count this process too, which
        was its image before it became the other program.)
        """
        pid = self.start(argv)
        most = 0
        with open(f"/proc/{pid}/status") as status:
            while True:
                status.seek(0)
                line = next((line for line in status if line.startswith("VmHWM:")), None)
                if line is None:
                    break
                most = max(most, int(line.split()[1]) * 1024)
        self.finish(pid, argv)
        return most

    def calls(self, argv):
        """The calls to Docker that zoe makes, as it counts them: every request that goes out, `/_ping` included."""
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "calls")
            environment = self.environment | {"ZOE_TEST_GATE": f"count:{path}"}
            answer = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=LIMIT)
            if answer.returncode != 0 or not os.path.exists(path):
                raise Failed(f"{' '.join(argv)} failed or made no call\n{answer.stderr.strip()}")
            with open(path) as file:
                return [line.split(maxsplit=1)[1].strip() for line in file]

    def kill(self, pid):
        """Ends a process, if it is still running."""
        if pid in self.alive:
            self.alive.discard(pid)
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass

    def end(self):
        """Ends what is still running."""
        for pid in list(self.alive):
            self.kill(pid)


def interleaved(rounds, *subjects):
    """What each subject gives, one after the other in each round, so that a busy moment meets all alike."""
    for subject in subjects:  # once for nothing: caches fill
        subject()
    results = [[] for _ in subjects]
    for _ in range(rounds):
        for result, subject in zip(results, subjects):
            result.append(subject())
    return results


@dataclass
class Row:
    """One figure beside what it is compared with."""

    what: str
    ours: list
    beside: str
    theirs: list
    unit: str = "ms"
    goal: str = ""
    limit: float | None = None  # in the unit of the values

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def met(self):
        return None if self.limit is None else statistics.median(self.ours) <= self.limit

    def cells(self):
        goal = self.goal
        if self.limit is not None:
            goal += f" ({number(self.limit, self.unit)} {self.unit})" if "×" in goal or "+" in goal else ""
            goal += " met" if self.met else " MISSED"
        return [
            self.what,
            spread(self.ours, self.unit),
            self.beside,
            spread(self.theirs, self.unit),
            self.unit,
            f"{self.ratio:.2f}",
            goal,
        ]

    def data(self):
        scale = SCALES[self.unit]
        return {
            "what": self.what,
            "beside": self.beside,
            "unit": self.unit,
            "zoe": [value * scale for value in self.ours],
            "other": [value * scale for value in self.theirs],
            "ratio": self.ratio,
            "goal": self.goal or None,
            "limit": None if self.limit is None else self.limit * scale,
            "met": self.met,
        }


SCALES = {"ms": 1000, "s": 1, "MiB": 1 / 1024**2, "calls": 1, "/s": 1}


def number(value, unit):
    value *= SCALES[unit]
    if unit == "calls":
        return f"{value:g}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def spread(values, unit):
    middle = number(statistics.median(values), unit)
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values), unit)}–{number(max(values), unit)})"


def table(rows):
    """The table in plain text."""
    head = ["zoe", "median (min–max)", "beside", "median (min–max)", "unit", "ratio", "goal"]
    lines = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["─" * width for width in widths])
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def write_json(path, machine, rows):
    """The same as data, with every single value."""
    with open(path, "w") as file:
        json.dump({"machine": machine, "rows": [row.data() for row in rows]}, file, indent=2)
        file.write("\n")
