"""What `zoe watch` costs: how soon the next execution starts when one has ended, and what it does while nothing happens."""

import contextlib
import json
import os
import queue
import signal
import socket
import statistics
import threading
import time
import urllib.parse

from engine import FOREVER, Failed, toml
from measure import Row, interleaved

PARTS = ("watch-latency", "watch-idle")
PATIENCE = 60  # seconds that a start, an end, an event or some passes may take
GOAL = 0.5  # seconds more than Docker needs for the start itself
CORES, MEMORY = 0.05, 16 << 20  # of one member
SHORT = "50ms"  # between two idle passes, so that many of them take seconds
PASS = "GET /info"  # asked once in each pass, and first


class Events:
    """What Engines tell of their containers from now on, as it comes."""

    def __init__(self, engines):
        self.queue, self.connections = queue.SimpleQueue(), []
        filters = json.dumps({"type": ["container"], "event": ["die", "start"]})
        for engine in engines:
            connection = engine.connect()
            self.connections.append(connection)
            connection.request("GET", f"{engine.prefix}/events?{urllib.parse.urlencode({'filters': filters})}")
            answer = connection.getresponse()  # comes once the Engine listens
            connection.sock.settimeout(None)
            threading.Thread(target=self.read, args=(answer,), daemon=True).start()

    def read(self, answer):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            while line := answer.readline():
                self.queue.put(json.loads(line))

    def next(self, action, label, container=None):
        """The next such event of that container, or of any with that label: nanoseconds since 1970, and its id."""
        key, _, value = label.partition("=")
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                event = self.queue.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty as error:
                raise Failed(f"no container with the label {label} had the event {action} in {PATIENCE} s") from error
            actor = event["Actor"]
            known = actor["Attributes"].get(key) == value and container in (None, actor["ID"])
            if event["Action"] == action and known:
                return event["timeNano"], actor["ID"]

    def forget(self):
        """Drops what has come."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.queue.get_nowait()

    def close(self):
        for connection in self.connections:
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class Watch:
    """A `zoe watch` that runs, and what it has used so far."""

    def __init__(self, processes, zoe, arguments, variables):
        self.processes, self.command = processes, [zoe, "watch", "--quiet", *arguments]
        self.pid = processes.start(self.command, variables)

    def cpu(self):
        """Seconds of processor time, of all its threads."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        """Tells it to end, and waits until it has."""
        os.kill(self.pid, signal.SIGTERM)
        self.processes.finish(self.pid, self.command)


class Place:
    """One Engine: what is to be seen and made there."""

    on = ""

    def __init__(self, engine, fixtures):
        self.engine, self.fixtures, self.image = engine, fixtures, fixtures.image
        self.deployment, self.own = fixtures.deployment_label, fixtures.own_label
        self.engines, self.made = [engine], 0

    def counts(self):
        """How many of zoe's members there are, how many of them run, and how many tickets."""
        listed = self.engine.containers(self.deployment)
        members = [c for c in listed if c["Labels"]["zoe.kind"] == "instance"]
        return len(members), sum(c["State"] == "running" for c in members), len(listed) - len(members)

    def running(self):
        """The id of a member of zoe's that runs."""
        return self.engine.containers(self.deployment, "zoe.kind=instance", status="running")[0]["Id"]

    def kill(self, container):
        self.engine.call("POST", f"/containers/{container}/kill")

    def make(self):
        """The calls that start what zoe starts: a member in a network of its own."""
        self.made += 1
        name = f"{self.fixtures.run}-{self.made}"
        labels = dict([self.own.split("=")])
        network = {"Name": name, "Driver": "bridge", "CheckDuplicate": True, "Labels": labels}
        network = self.engine.call("POST", "/networks/create", body=network)["Id"]
        limits = {"NanoCpus": int(CORES * 10**9), "Memory": MEMORY, "MemorySwap": MEMORY}
        body = {
            "Image": self.image,
            "Cmd": FOREVER,
            "Labels": labels,
            "Hostname": "main-0",
            "HostConfig": {"Init": True, "NetworkMode": network} | limits,
            "NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": ["main-0"]}}},
        }
        container = self.engine.call("POST", "/containers/create", {"name": name}, body)["Id"]
        self.engine.call("POST", f"/containers/{container}/start")

    def remove(self):
        """Removes what `make` made, until nothing is left of it."""
        self.fixtures.remove_labelled(self.own)


class WatchBench:
    """The measurements, in a place."""

    def __init__(self, zoe, place, processes, options, directory, say):
        self.zoe, self.place, self.processes, self.say = zoe, place, processes, say
        self.quick, self.docker = options.quick, options.docker
        self.description = os.path.join(directory, "watch.toml")
        self.calls = os.path.join(directory, "calls-of-watch")

    def room_for(self, count):
        """Room for so many executions, whatever others hold of the machine."""
        self.environment = self.processes.environment | {"ZOE_QUOTA_CORES": f"{CORES * count:g}"}

    @contextlib.contextmanager
    def watching(self, *arguments, **variables):
        """While `zoe watch` runs."""
        watch = Watch(self.processes, self.zoe, arguments, self.environment | variables)
        try:
            yield watch
            watch.stop()
        finally:
            self.processes.kill(watch.pid)

    def submit(self, *arguments):
        """Submits one member that does nothing, and whose end is the execution's."""
        size = {"cores": f"{CORES:g}", "memory": f"{MEMORY >> 20}m"}
        member = {"name": "main", "image": self.place.image, "command": FOREVER} | size
        about = {"schema": 1, "name": "bench", "description": "One member that does nothing", "monitor": "main"}
        with open(self.description, "w") as file:
            file.write(toml(about | {"component": [member]}))
        self.processes.time([self.zoe, "run", self.description, "-d", *arguments], self.environment)

    def until(self, run, wait):
        """Waits until so many members run, so many executions wait, and nothing else is left."""
        deadline = time.monotonic() + PATIENCE
        while (counts := self.place.counts()) != (run, run, run + wait):
            if time.monotonic() > deadline:
                raise Failed(f"{run} should run and {wait} wait; members, running, tickets: {counts}")
            time.sleep(0.02)

    def end(self):
        self.processes.time([self.zoe, "kill", "--all", "-y"])

    def latency(self):
        """One execution runs and one waits; the one that runs dies."""
        what = f"zoe watch{self.place.on}, death to next start"
        self.say(what)
        self.room_for(1)
        self.events = Events(self.place.engines)
        try:
            with self.watching():
                for _ in range(2):
                    self.submit()
                subjects = (self.next_of_zoe, self.start_alone, self.start_at_death)
                zoe, alone, bare = interleaved(3 if self.quick else 15, *subjects)
        finally:
            self.events.close()
        self.end()
        limit = statistics.median(alone) + GOAL
        yield Row(what, zoe, "bare calls: a start alone", alone, goal=f"+ {GOAL:g} s", limit=limit)
        yield Row(what, zoe, "bare calls, at a death", bare)
        yield Row(f"{what}, 95th percentile", [late(zoe)], "bare calls, at a death", [late(bare)])

    def next_of_zoe(self):
        """Seconds from the death of the member that runs to the start of the next one."""
        self.until(run=1, wait=1)
        member = self.place.running()
        self.events.forget()
        self.place.kill(member)
        died, _ = self.events.next("die", self.place.deployment, member)
        started, _ = self.events.next("start", self.place.deployment)
        self.submit()
        self.until(run=1, wait=1)
        return (started - died) / 1e9

    def start_alone(self):
        """Seconds that the same start takes by bare calls, from before the first of them."""
        self.events.forget()
        begin = time.time_ns()
        self.place.make()
        started, _ = self.events.next("start", self.place.own)
        self.place.remove()
        return (started - begin) / 1e9

    def start_at_death(self):
        """Seconds from a death to a start by bare calls that wait for nothing but the event."""
        self.events.forget()
        self.place.make()
        _, member = self.events.next("start", self.place.own)
        self.place.kill(member)
        died, _ = self.events.next("die", self.place.own, member)
        self.place.make()
        started, _ = self.events.next("start", self.place.own)
        self.place.remove()
        return (started - died) / 1e9

    def idle(self):
        """Passes while nothing happens: with no execution, and while some run and as many wait."""
        none = None
        for count in (0, 3 if self.quick else 10):
            what = f"zoe watch, an idle pass: {count} run, {count} wait"
            self.say(what)
            self.room_for(count or 1)
            if count:
                self.submit("--array", f"0-{2 * count - 1}")
            self.until(run=count, wait=count)
            calls, cpu, docker, resident = self.idle_passes()
            none = none or (calls, resident)
            limit = statistics.median(none[0])
            yield Row(what, calls, "with none", none[0], unit="calls", goal="constant", limit=limit)
            yield Row(f"{what}, processor time", cpu, "docker ps", docker)
            yield Row(f"{what}, memory", [resident], "with none", [none[1]], unit="MiB")
        self.end()

    def idle_passes(self):
        """How many calls passes make, the processor time of one beside that of `docker ps`, and the memory in the end."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.calls)
        rounds, passes = (3, 20) if self.quick else (7, 50)
        with self.watching("--interval", SHORT, ZOE_TEST_GATE=f"count:{self.calls}") as watch:
            cpu, docker = interleaved(
                rounds,
                lambda: self.pass_of(watch, passes),
                lambda: self.processes.cpu([self.docker, "ps"]),
            )
            resident = watch.resident()
        # The first pass also asks what it talks to, and the last may not be whole.
        asked = [text.splitlines() for text in self.made().split(f"read {PASS}\n")][2:-1]
        self.say(f"  {PASS}, {', '.join(line.split(maxsplit=1)[1] for line in asked[-1])}")
        return [len(lines) + 1 for lines in asked], cpu, docker, resident

    def pass_of(self, watch, passes):
        """Seconds of processor time of one pass, over so many."""
        begun, before = self.made().count(PASS), watch.cpu()
        deadline = time.monotonic() + PATIENCE
        while (done := self.made().count(PASS) - begun) < passes:
            if time.monotonic() > deadline:
                raise Failed(f"zoe watch made only {done} passes in {PATIENCE} s")
            time.sleep(0.05)
        return (watch.cpu() - before) / done

    def made(self):
        """The calls that zoe has written down so far."""
        try:
            with open(self.calls) as file:
                return file.read()
        except FileNotFoundError:
            return ""


def late(values):
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]
