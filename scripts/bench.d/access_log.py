"""Reading Apache's access log: 1 GB of it, beside what counting its lines takes. Needs no Docker."""

import json
import os
import shutil
import subprocess

from engine import Failed
from measure import Row, interleaved

SIZE, QUICK = 10**9, 10**8
GOAL = 500 * 10**6
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CLIENTS = ("10.0.0.1", "2001:db8::7", "[::1]:8080 ::1", "zoe.example.org:443 fe80::1")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
AGENT = '"https://example.org/" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"'


def block():
    """16 MiB or so of a site whose every fifth request is for an application, and how many of the lines are bad."""
    lines, bad, size, n = [], 0, 0, 0
    while size < 16 << 20:
        client, method = CLIENTS[n % len(CLIENTS)], METHODS[n % len(METHODS)]
        time = f"[23/Nov/2026:06:{n // 600 % 60:02}:{n // 10 % 60:02} +0000]"
        token = LETTERS[n % 26] * 26
        some = [f'{client} - - {time} "GET /shop/{page}?q={n} HTTP/1.1" 200 51{n} {AGENT}\n' for page in range(4)]
        path = f"/zoe/{token}/notebook/notebook/lab/tree/work-{n}"
        some.append(f'{client} - ada {time} "{method} {path} HTTP/1.1" 200 512 {AGENT}\n')
        if n % 1000 == 0:
            some.append(f'{client} "GET {path}\n')
            bad += 1
        text = "".join(some)
        lines.append(text)
        size += len(text)
        n += 1
    return "".join(lines).encode(), bad


class AccessLogBench:
    """The measurements."""

    def __init__(self, root, processes, directory, quick, say):
        self.root, self.processes, self.quick, self.say = root, processes, quick, say
        self.log = os.path.join(directory, "access.log")

    def access_log(self):
        """The whole process; the log is in the page cache for both."""
        self.say("building the reader of the access log")
        build = ["cargo", "build", "--release", "--locked", "--quiet", "--example", "access-log-bench"]
        subprocess.run(build, cwd=self.root, check=True)
        target = os.environ.get("CARGO_TARGET_DIR", os.path.join(self.root, "target"))
        program = os.path.join(target, "release", "examples", "access-log-bench")
        text, bad = block()
        count = -(-(QUICK if self.quick else SIZE) // len(text))
        with open(self.log, "wb") as file:
            for _ in range(count):
                file.write(text)
        size = count * len(text)
        answer = subprocess.run([program, self.log], capture_output=True, text=True, check=True)
        seen = json.loads(answer.stdout)
        if (seen["executions"], seen["bad"]) != (26, bad * count):
            raise Failed(f"the access log was misread: {seen}, not 26 executions and {bad * count} bad lines")
        reader, counter, copier = [program, self.log], [shutil.which("wc"), "-l", self.log], [shutil.which("cat"), self.log]
        commands = (reader, counter, copier)
        timed = [lambda argv=argv: self.processes.time(argv) for argv in commands]
        ours, lines, bytes_only = interleaved(3 if self.quick else 9, *timed)
        what = f"reading {size / 1e6:.0f} MB of access log"
        yield Row(what, ours, "wc -l", lines, goal="over 500 MB/s", limit=size / GOAL)
        yield Row(what, ours, "cat", bytes_only)
        peaks = [[self.processes.peak(argv)] for argv in commands]
        yield Row(what, peaks[0], "wc -l", peaks[1], unit="MiB")
        os.remove(self.log)
