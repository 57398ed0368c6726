"""The three-node Swarm of scripts/lab as the benchmark uses it: held while it is used, looked at, cleaned up."""

import fcntl
import http.client
import os
import subprocess
import time

from engine import Failed, LeftOut, each

USE = "/run/zoe-lab/use"  # held by whoever uses the lab, see tests/lab/mod.rs


class Lab:
    """The lab, up, and nobody disturbs its nodes until this is closed."""

    def __init__(self, script, bring_up, say):
        self.script, self.bring_up, self.say = script, bring_up, say
        self.brought_up, self.held = False, None
        try:
            if not os.path.exists(USE):
                self.make()
            self.hold()
            values = dict(line.removeprefix("export ").split("=", 1) for line in self.command("env").splitlines())
        except BaseException:
            self.close()
            raise
        values = {key: value.strip("'") for key, value in values.items()}
        self.manager = values["DOCKER_HOST"]
        self.registry = values["ZOE_LAB_REGISTRY"]
        self.nodes = [pair.split("=")[0] for pair in values["ZOE_LAB_NODES"].split()]

    def make(self):
        if not self.bring_up:
            raise LeftOut("the lab is not up; scripts/bench --swarm brings it up (docs/lab.md)")
        self.say("bringing the lab up")
        self.brought_up = True  # also where that is interrupted
        self.command("up")

    def is_whole(self):
        return subprocess.run([self.script, "status", "-q"], capture_output=True).returncode == 0

    def command(self, *arguments):
        """What scripts/lab prints; its words where it fails."""
        answer = subprocess.run([self.script, *arguments], capture_output=True, text=True)
        if answer.returncode != 0:
            raise LeftOut(f"scripts/lab {' '.join(arguments)}: {answer.stderr.strip()}")
        return answer.stdout.strip()

    def hold(self):
        """As the tests do: shared with all who disturb no nodes. What another is disturbing is no damage to repair."""
        while True:
            try:
                self.held = open(USE)
            except OSError as error:
                raise LeftOut(f"the lab can't be held: {error}") from error
            try:
                fcntl.flock(self.held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say("waiting: a test has the lab for itself")
                fcntl.flock(self.held, fcntl.LOCK_SH)
            if not self.is_whole():
                self.say("repairing the lab")  # who breaks a node leaves it to the next
                self.command("up")
            # It may have gone and come meanwhile, the file with it.
            if os.path.exists(USE) and os.path.samestat(os.stat(USE), os.fstat(self.held.fileno())):
                return
            self.held.close()

    def push(self, image):
        """Puts an image of this machine's Engine into the lab's registry and on all nodes; returns its name there."""
        name = self.command("push", image)
        each(lambda node: self.command("docker", node, "pull", "-q", name), self.nodes)
        return name

    def forget(self, image):
        """Takes an image off the nodes and out of the registry."""
        name, tag = image.removeprefix(f"{self.registry}/").rsplit(":", 1)
        for node in self.nodes:
            self.remove_image(node, f"{self.registry}/{name}")
        forget_tag(self.registry, name, tag)

    def remove_image(self, node, name):
        # By id: what a service ran stands there under its digest too.
        found = self.command("docker", node, "images", "-q", "--no-trunc", name).split()
        deadline = time.monotonic() + 60
        while found:
            try:
                self.command("docker", node, "rmi", "-f", *set(found))
            except Failed:
                # A container of it may be just about to go.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            found = self.command("docker", node, "images", "-q", "--no-trunc", name).split()

    def close(self):
        if self.held:
            self.held.close()
        if self.brought_up:
            self.brought_up = False
            try:
                self.command("down")
            except LeftOut as why:
                self.say(f"the lab stays up: {why}")


def forget_tag(registry, name, tag):
    """Takes one tag out of a registry. What it was made of stays there, or goes with the registry."""
    connection = http.client.HTTPConnection(registry, timeout=30)
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    connection.request("HEAD", f"/v2/{name}/manifests/{tag}", headers=accept)
    answer = connection.getresponse()
    answer.read()
    if digest := answer.headers.get("Docker-Content-Digest"):
        connection.request("DELETE", f"/v2/{name}/manifests/{digest}")
        connection.getresponse().read()
    connection.close()
