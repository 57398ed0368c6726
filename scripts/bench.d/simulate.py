"""`zoe simulate` of a large workload: time and memory, under every policy in both modes. Needs no Docker."""

from measure import Row, interleaved

COUNT = 80_000
NODES = "100x32c128g"
POLICIES = ("fifo", "size", "dynsize", "hrrn", "fair")
GOAL_SECONDS = 10
GOAL_BYTES = 500 * 10**6


class SimulateBench:
    """The measurements."""

    def __init__(self, zoe, processes, quick, say):
        self.zoe, self.processes, self.quick, self.say = zoe, processes, quick, say

    def command(self, policy, mode):
        workload = ["--generate", f"google-like:{COUNT}", "--nodes", NODES]
        return [self.zoe, "simulate", *workload, "--policy", policy, "--mode", mode]

    def simulate(self):
        """Each policy flexible beside the same rigid, which has far less to decide; the whole process."""
        for policy in POLICIES:
            self.say(f"simulating {COUNT} applications on {NODES}, {policy}")
            commands = [self.command(policy, mode) for mode in ("flexible", "rigid")]
            timed = [lambda argv=argv: self.processes.time(argv) for argv in commands]
            flexible, rigid = interleaved(1 if self.quick else 3, *timed)
            what = f"simulate {COUNT}, {policy}, flexible"
            yield Row(what, flexible, "rigid", rigid, unit="s", goal=f"under {GOAL_SECONDS} s", limit=GOAL_SECONDS)
            flexible, rigid = ([self.processes.peak(argv)] for argv in commands)
            yield Row(what, flexible, "rigid", rigid, unit="MiB", goal="under 500 MB", limit=GOAL_BYTES)
