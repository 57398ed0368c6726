"""The archive of one large log: its time beside gzip's, its memory beside that of a small log. Needs no Docker."""

import os
import shlex
import subprocess

from measure import Row

LARGE, QUICK, SMALL = 2048, 256, 128  # MiB
GOAL = 64 << 20


class LogsBench:
    """The measurements."""

    def __init__(self, root, processes, directory, quick, say):
        self.root, self.processes, self.directory, self.say = root, processes, directory, say
        self.large = QUICK if quick else LARGE

    def program(self):
        self.say("building the benchmark of logs")
        build = ["cargo", "build", "--release", "--locked", "--quiet", "--example", "logs-bench"]
        subprocess.run(build, cwd=self.root, check=True)
        target = os.environ.get("CARGO_TARGET_DIR", os.path.join(self.root, "target"))
        return os.path.join(target, "release", "examples", "logs-bench")

    def logs(self):
        """Writing and reading, the making of the text included in both; and what either has resident."""
        program = self.program()
        self.say(f"a log of {self.large} MiB")
        packed = os.path.join(self.directory, "text.gz")
        archives = {size: os.path.join(self.directory, f"{size}.zip") for size in (self.large, SMALL)}
        write = {size: [program, "write", path, str(size)] for size, path in archives.items()}
        read = {size: [program, "read", path] for size, path in archives.items()}
        shell = f"{shlex.quote(program)} raw /dev/stdout {self.large} | gzip -6 >{shlex.quote(packed)}"
        pairs = (
            ("written", write, ["/bin/sh", "-c", shell], "gzip -6"),
            ("read", read, ["/bin/sh", "-c", f"gzip -d <{shlex.quote(packed)} >/dev/null"], "gzip -d"),
        )
        for what, ours, others, name in pairs:
            times = [self.processes.time(ours[self.large])], [self.processes.time(others)]
            yield Row(f"a log of {self.large} MiB, {what}", times[0], name, times[1], unit="s")
            if what == "written":
                os.remove(archives[self.large])
            peaks = [[self.processes.peak(ours[size])] for size in (self.large, SMALL)]
            label = f"memory, a log of {self.large} MiB {what}"
            yield Row(label, peaks[0], f"of {SMALL} MiB", peaks[1], unit="MiB", goal="under 64 MiB", limit=GOAL)
