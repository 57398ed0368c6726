"""What zoe costs on a Swarm of three nodes (scripts/lab), beside the docker CLI's services and stacks."""

import http.client
import json
import os
import statistics
import subprocess
import time

import stack
from engine import MEMBERS, Engine, Failed, LeftOut, application, toml
from lab import Lab
from measure import Processes, Row, interleaved
from services import Copies, Swarm

PARTS = ("swarm-ps", "swarm-run", "swarm-end", "swarm-spark")
SERVICES = 10  # of one copied execution: 30 of them are 300 services
STACK = "com.docker.stack.namespace"  # the label of what belongs to a stack
SPARK = ("zoe/spark-master:latest", "zoe/spark-worker:latest")
SIZES = {"worker-cores": "0.3", "worker-memory": "512m", "master-cores": "0.3", "master-memory": "512m"}
SPARK_CORES = 0.3 * MEMBERS
PATIENCE = 300  # seconds that a cluster may take


class SwarmBench:
    """The measurements, and all that they need; nothing is touched before `open`."""

    def __init__(self, script, zoe, fixtures, environment, directory, options, say):
        self.script, self.zoe, self.fixtures, self.options, self.say = script, zoe, fixtures, options, say
        self.run, self.docker = fixtures.run, options.docker
        self.directory = os.path.join(directory, "swarm")  # a database and a history of its own
        self.environment = environment
        self.lab = self.swarm = self.image = self.processes = self.lives = None

    def open(self):
        """The lab, and the small image on all its nodes. Whether they were not there before."""
        if self.image:
            return False
        self.lab = self.lab or Lab(self.script, self.options.swarm, self.say)
        self.swarm = Swarm(self.lab.manager, self.run)
        os.makedirs(self.directory, exist_ok=True)
        homes = {key: self.directory for key in self.environment if key == "HOME" or key.startswith("XDG_")}
        self.processes = Processes(
            self.directory,
            self.environment
            | homes
            | {
                "DOCKER_HOST": self.lab.manager,
                "ZOE_DOCKER_PRIVATE_REGISTRY": self.lab.registry,
                "ZOE_DOCKER_NODE_URL": "tcp://{address}:2375",
                "NO_PROXY": "*",
                "no_proxy": "*",
            },
        )
        self.detached = self.knows_detach("deploy")
        self.detached_rm = self.knows_detach("rm")
        self.image = self.lab.push(self.fixtures.image)
        return True

    def knows_detach(self, command):
        """`--detach` where the docker CLI has it; older ones know no other way."""
        answer = subprocess.run([self.docker, "stack", command, "--help"], capture_output=True, text=True)
        return ["--detach=true"] if "--detach" in answer.stdout else []

    def facts(self):
        """What must be known to compare two runs of this."""
        nodes = [node["Description"] for node in self.swarm.nodes]
        sizes = [f"{n['Resources']['NanoCPUs'] / 1e9:g} cores {n['Resources']['MemoryBytes'] >> 30} GiB" for n in nodes]
        kind = f"{self.swarm.version['Version']}, {', '.join(sizes)}"
        return {"swarm": kind, "load_before_swarm": round(os.getloadavg()[0], 2)}

    def ps(self):
        """Listing, at no services and at many."""
        most = min(300, self.options.most) // SERVICES
        copies = Copies(self.swarm, self.pattern(SERVICES))
        command = [self.zoe, "ps"]
        label = self.swarm.deployment_label
        theirs = [self.docker, "service", "ls", "--filter", f"label={label}"]
        at_nothing = None
        for executions in (0, most):
            count = executions * SERVICES
            self.say(f"zoe ps over {count} services")
            copies.grow_to(executions)
            self.check_listing(executions)
            zoe, docker, bare = interleaved(
                5 if self.options.quick else 31,
                lambda: self.processes.time(command),
                lambda: self.processes.time(theirs),
                lambda: self.swarm.time_reads(self.reads(label)),
            )
            what = f"zoe ps, {count} services"
            yield Row(what, zoe, "docker service ls", docker)
            yield Row(what, zoe, "bare list calls", bare)
            calls = self.processes.calls(command)
            self.say(f"  {', '.join(calls)}")
            at_nothing = at_nothing or len(calls)
            goal, limit = "constant, at most 4", min(4, at_nothing)
            yield Row(what, [len(calls)], "with none", [at_nothing], unit="calls", goal=goal, limit=limit)
        self.swarm.remove()

    @staticmethod
    def reads(label):
        """What `zoe ps` asks as well: nodes, members, tickets."""
        own = {"filters": json.dumps({"label": [label]})}
        return [("/nodes", {}), ("/tasks", own), ("/configs", own)]

    def pattern(self, members):
        """What zoe makes of an application of so many members, as Docker shows it."""
        self.say("making an execution to copy")
        self.describe(application(self.image, "0.1", members - 1))
        self.wait_for_room(0.1 * members)
        self.processes.time([self.zoe, "run", self.description, "-d"])
        pattern = self.swarm.described(self.swarm.deployment_label)
        self.end_zoe()
        return pattern

    def check_listing(self, executions):
        """What is timed must also be right: both see all."""
        answer = self.output([self.zoe, "ps", "-q"])
        seen = len(answer.stdout.split())
        if answer.returncode != 0 or seen != executions:
            raise Failed(f"zoe ps shows {seen} of {executions} executions\n{answer.stderr.strip()}")

    def output(self, command):
        return subprocess.run(command, env=self.processes.environment, capture_output=True, text=True, timeout=60)

    def describe(self, description):
        self.description = os.path.join(self.directory, "bench.toml")
        with open(self.description, "w") as file:
            file.write(toml(description))

    def wait_for_room(self, cores):
        """Others may use the lab too; zoe would queue, rightly. A little more, as no node's rest is used up."""
        told, deadline = False, time.monotonic() + 600
        while (free := self.swarm.free_cores()) < cores + 0.5:
            if time.monotonic() > deadline:
                raise Failed(f"{cores:g} cores are needed and {free:g} free: others use the lab")
            if not told:
                self.say(f"waiting for {cores:g} cores: {free:g} are free in the lab")
                told = True
            time.sleep(0.2)

    def start(self):
        """Starting an application of one master and eight workers, until all run."""
        zoe, two, nine = self.measured_lives()
        what = f"zoe run -d, 1 + {MEMBERS - 1} on a Swarm until all run"
        begun = [[start for start, _ in subject] for subject in (zoe, two, nine)]
        yield Row(what, begun[0], "docker stack deploy", begun[1], goal="1 ×", limit=statistics.median(begun[1]))
        yield Row(what, begun[0], "… of a service each", begun[2])

    def end(self):
        """Ending the same, until nothing of it is left."""
        zoe, two, nine = self.measured_lives()
        what = f"zoe kill, 1 + {MEMBERS - 1} on a Swarm until all is gone"
        ended = [[end for _, end in subject] for subject in (zoe, two, nine)]
        yield Row(what, ended[0], "docker stack rm", ended[1])
        yield Row(what, ended[0], "… of a service each", ended[2])

    def measured_lives(self):
        """Starts and ends, of zoe's, of a stack of two services, of one with a service for each member."""
        if self.lives is None:
            self.say(f"starting and ending 1 + {MEMBERS - 1} on the Swarm")
            self.cores = 0.2
            self.describe(application(self.image, f"{self.cores:g}"))
            self.lives = interleaved(
                2 if self.options.quick else 7,
                self.live_zoe,
                lambda: self.live_stack(split=False),
                lambda: self.live_stack(split=True),
            )
        return self.lives

    def live_zoe(self):
        self.wait_for_room(self.cores * MEMBERS)
        label = self.swarm.deployment_label
        begin = time.perf_counter()
        self.processes.time([self.zoe, "run", self.description, "-d"])
        started = self.swarm.until_running(begin, label, MEMBERS, self.why)
        return started, self.end_zoe()

    def end_zoe(self):
        begin = time.perf_counter()
        self.processes.time([self.zoe, "kill", "--all", "-y"])
        return self.swarm.until_gone(begin, self.swarm.deployment_label)

    def live_stack(self, split):
        self.wait_for_room(self.cores * MEMBERS)
        file = os.path.join(self.directory, "stack.json")
        stack.tiny(file, self.run, self.image, self.cores, split)
        begin = self.deploy(file)
        return self.swarm.until_running(begin, f"{STACK}={self.run}", MEMBERS), self.end_stack()

    def deploy(self, file):
        begin = time.perf_counter()
        self.processes.time([self.docker, "stack", "deploy", *self.detached, "-c", file, self.run])
        return begin

    def end_stack(self):
        begin = time.perf_counter()
        self.processes.time([self.docker, "stack", "rm", *self.detached_rm, self.run])
        return self.swarm.until_gone(begin, f"{STACK}={self.run}")

    def why(self):
        answer = self.output([self.zoe, "ps", "-o", "wide"])
        return (answer.stdout + answer.stderr).strip()

    def spark(self):
        """A Spark cluster of eight workers, until its master counts eight."""
        own = Engine()
        for image in SPARK:
            name, tag = image.split(":")
            if not own.call("GET", "/images/json", {"filters": json.dumps({"reference": [image]})}):
                raise LeftOut(f"this machine's Engine has no {name}:{tag}; zoe images build makes it")
            self.say(f"{image} to the registry and all nodes")
            self.lab.push(image)
        self.say(f"starting Spark with {MEMBERS - 1} workers")
        self.stack_file = os.path.join(self.directory, "spark.json")
        zoe, docker = interleaved(1 if self.options.quick else 3, self.spark_zoe, self.spark_stack)
        what = f"zoe cluster, until {MEMBERS - 1} workers registered"
        yield Row(what, zoe, "docker stack deploy", docker, unit="s")

    def spark_zoe(self):
        self.wait_for_room(SPARK_CORES)
        command = [self.zoe, "cluster", "--workers", str(MEMBERS - 1)]
        for option, value in SIZES.items():
            command += [f"--{option}", value]
        label = self.swarm.deployment_label
        begin = time.perf_counter()
        pid = self.processes.start(command)
        seconds = self.until_registered(begin, label, "zoe.component=master")
        self.processes.finish(pid, command, PATIENCE)
        # The stack is written after what zoe started: the same images, sizes, ports, secrets.
        stack.like(self.stack_file, self.run, self.swarm.objects("services", label))
        self.end_zoe()
        return seconds

    def spark_stack(self):
        self.wait_for_room(SPARK_CORES)
        begin = self.deploy(self.stack_file)
        seconds = self.until_registered(begin, f"{STACK}={self.run}", f"{stack.COMPONENT}=master")
        self.end_stack()
        return seconds

    def until_registered(self, begin, *labels):
        """Seconds since `begin` when the master that carries these labels counts eight living workers."""
        place = None
        while True:
            if time.perf_counter() - begin > PATIENCE:
                raise Failed(f"Spark has not {MEMBERS - 1} workers after {PATIENCE} s\n{self.why()}")
            place = place or self.swarm.published(8080, *labels)
            if place and alive_workers(*place) >= MEMBERS - 1:
                return time.perf_counter() - begin
            time.sleep(0.05)

    def remove(self):
        """Removes all that was made in the Swarm."""
        if self.processes:
            self.processes.end()
        if self.swarm:
            self.swarm.remove()

    def close(self):
        """Takes the small image away, and the lab where this brought it up."""
        if not self.lab:
            return
        try:
            if self.image and not self.lab.brought_up:
                self.lab.forget(self.image)
        finally:
            self.lab.close()


def alive_workers(address, port):
    """The workers that a Spark master counts as alive; none where it does not answer yet."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/json/")
        answer = connection.getresponse()
        return json.loads(answer.read()).get("aliveworkers", 0) if answer.status == 200 else 0
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    finally:
        connection.close()
