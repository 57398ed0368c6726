"""What the benchmark needs of a Docker Engine: calls over its socket, objects to look at, and their removal.

Everything is made for one run and carries its label; nothing else is ever touched.
"""

import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

WIDTH = 16  # calls under way at the same time, as many as zoe itself makes
MEMBERS = 9  # of one execution: one master and eight workers
LABEL = "bench.run"  # on what the docker CLI makes; what zoe makes carries the run's deployment
FOREVER = ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"]  # ends at once when it is told to


class Failed(Exception):
    """Something that can't go on, in a sentence."""


class LeftOut(Failed):
    """A part that can't be measured here, in a sentence; the others can."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("docker", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    """A Docker Engine: the one on this machine, or one that is named."""

    def __init__(self, host=None):
        self.host = host or os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        if not host and not self.host.startswith("unix://"):
            raise Failed(f"DOCKER_HOST is {self.host}; the benchmark needs an Engine on this machine (unix://…)")
        self.prefix = ""
        self.threads = threading.local()
        try:
            self.version = self.call("GET", "/version")
        except OSError as error:
            raise Failed(f"no Docker Engine answers at {self.host}: {error}") from error
        self.prefix = f"/v{self.version['ApiVersion']}"
        self.info = self.call("GET", "/info")

    def connect(self):
        """A connection of its own, for one thread."""
        address = self.host.partition("://")[2]
        if self.host.startswith("unix://"):
            return UnixConnection(address)
        return http.client.HTTPConnection(address, timeout=120)

    def call(self, method, path, query=None, body=None, ok=(), raw=None):
        """One call; its answer as JSON. Statuses in `ok` are no failures."""
        connection = getattr(self.threads, "connection", None)
        if connection is None:
            connection = self.threads.connection = self.connect()
        url = self.prefix + path + ("?" + urllib.parse.urlencode(query) if query else "")
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        try:
            connection.request(method, url, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            self.threads.connection = None
            connection.close()
            raise
        if answer.status >= 400 and answer.status not in ok:
            raise Failed(f"{method} {path}: {content.decode(errors='replace').strip()}")
        return json.loads(content) if content.startswith((b"{", b"[")) else None

    def containers(self, *labels, status=None):
        """Containers, running or not, with these labels."""
        filters = {"label": list(labels)} | ({"status": [status]} if status else {})
        return self.call("GET", "/containers/json", {"all": "true", "filters": json.dumps(filters)})

    def reserved_cores(self):
        """What the members of all zoe's executions on this Engine hold of the processors."""
        members = self.containers("zoe.kind=instance")
        return sum(int(m["Labels"].get("zoe.cores", 0)) for m in members if m["State"] != "exited") / 1000

    def time_list(self, label):
        """Seconds that the bare list call takes."""
        return self.time_reads([("/containers/json", {"all": "true", "filters": labelled(label)})])

    def time_reads(self, reads):
        """Seconds that these calls take: connect, ask, read the whole body, one after the other; nothing is decoded."""
        urls = [f"{self.prefix}{path}?{urllib.parse.urlencode(query)}" for path, query in reads]
        connection = self.connect()
        begin = time.perf_counter()
        for url in urls:
            connection.request("GET", url)
            connection.getresponse().read()
        seconds = time.perf_counter() - begin
        connection.close()
        return seconds


def labelled(*labels):
    """The filter on labels as the API wants it."""
    return json.dumps({"label": list(labels)})


def each(work, items):
    """Does something with all items, a bounded number at the same time. After a failure nothing new is begun."""
    pool = ThreadPoolExecutor(WIDTH)
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Fixtures:
    """What one run of the benchmark makes in Docker, and its removal."""

    def __init__(self, engine):
        self.engine = engine
        self.run = f"bench-{os.getpid()}"
        self.image = f"zoe-bench/tiny:{self.run}"
        self.listed = 0

    @property
    def deployment_label(self):
        return f"zoe.deployment={self.run}"

    @property
    def own_label(self):
        return f"{LABEL}={self.run}"

    def make_image(self):
        """A 2 MB image from Debian's static busybox, without a registry."""
        archive = io.BytesIO()
        with tempfile.TemporaryDirectory() as directory, tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(static_busybox(directory), "bin/busybox")
            for name in ("sh", "sleep", "true"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        repo, tag = self.image.split(":")
        query = {"fromSrc": "-", "repo": repo, "tag": tag}
        self.engine.call("POST", "/images/create", query, raw=archive.getvalue())

    def grow_to(self, count):
        """Makes zoe's containers until there are `count`: executions of a ticket and nine members, not started."""
        each(self.make_container, range(self.listed, count))
        self.listed = count

    def make_container(self, number):
        execution, member = divmod(number, MEMBERS + 1)
        labels = {
            "zoe.deployment": self.run,
            "zoe.schema": "1",
            "zoe.execution": execution_id(execution),
        }
        name = f"zoe-{self.run}-{execution_id(execution)}"
        if member == 0:
            labels |= self.ticket_labels(execution)
        else:
            component, index = ("master", 0) if member == 1 else ("worker", member - 2)
            labels |= {
                "zoe.kind": "instance",
                "zoe.component": component,
                "zoe.index": str(index),
                "zoe.cores": "500",
                "zoe.memory": "67108864",
            }
            name += f"-{component}-{index}"
        body = {"Image": self.image, "Cmd": FOREVER, "Labels": labels}
        self.engine.call("POST", "/containers/create", {"name": name}, body)

    def ticket_labels(self, execution):
        return {
            "zoe.kind": "ticket",
            "zoe.name": f"bench-{execution}",
            "zoe.claimed": "false",
            "zoe.user": "bench",
            "zoe.submitted": "2026-01-01T00:00:00Z",
            "zoe.registry": "",
            "zoe.application": json.dumps(application(self.image, "0.5"), separators=(",", ":")),
        }

    def remove(self):
        """Removes all that this run made in Docker except the image, until nothing is left."""
        self.remove_labelled(self.deployment_label)
        self.remove_labelled(self.own_label)
        self.listed = 0

    def remove_labelled(self, label):
        """Removes the containers and networks with this label, until nothing is left of them."""
        deadline = time.monotonic() + 120
        while found := self.engine.containers(label):
            if time.monotonic() > deadline:
                raise Failed(f"containers with the label {label} are still there after two minutes")
            each(self.remove_container, [container["Id"] for container in found])
        for network in self.engine.call("GET", "/networks", {"filters": labelled(label)}):
            self.engine.call("DELETE", f"/networks/{network['Id']}", ok=(404,))

    def remove_container(self, container):
        # 409: its removal is under way already.
        self.engine.call("DELETE", f"/containers/{container}", {"force": "true", "v": "true"}, ok=(404, 409))

    def remove_image(self):
        self.engine.call("DELETE", f"/images/{self.image}", {"force": "true"}, ok=(404,))


def application(image, cores, workers=MEMBERS - 1):
    """A description of one master and some workers that do nothing."""
    common = {"image": image, "cores": cores, "memory": "64m", "command": FOREVER}
    return {
        "schema": 1,
        "name": "bench",
        "description": "One master and some workers that do nothing",
        "component": [
            {"name": "master", "core": 1} | common,
            {"name": "worker", "core": workers} | common,
        ],
    }


def toml(description):
    """The description as TOML: texts, numbers and lists of texts, written as JSON writes them."""
    lines = []
    for key, value in description.items():
        if key != "component":
            lines.append(f"{key} = {json.dumps(value)}")
    for component in description["component"]:
        lines += ["", "[[component]]", *(f"{key} = {json.dumps(value)}" for key, value in component.items())]
    return "\n".join(lines) + "\n"


def execution_id(number):
    """Eight characters, the first a letter, the others a–z and 2–7."""
    symbols = "abcdefghijklmnopqrstuvwxyz234567"
    rest = ""
    for _ in range(7):
        number, digit = divmod(number, 32)
        rest = symbols[digit] + rest
    return "b" + rest


def static_busybox(directory):
    """The installed static busybox, or one unpacked into `directory` from Debian's package."""
    found = shutil.which("busybox")
    if found and is_static(found):
        return os.path.realpath(found)
    try:
        subprocess.run(["apt-get", "download", "-qq", "busybox-static"], cwd=directory, check=True)
        package = os.path.join(directory, os.listdir(directory)[0])
        subprocess.run(["dpkg-deb", "-x", package, directory], check=True)
        return next(
            path
            for path in (os.path.join(directory, "bin/busybox"), os.path.join(directory, "usr/bin/busybox"))
            if os.path.exists(path)
        )
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        raise Failed("a static busybox is needed for the image; install the package busybox-static") from error


def is_static(path):
    """Whether an ELF file needs no interpreter: its program headers name none."""
    with open(path, "rb") as file:
        head = file.read(4096)
    return head.startswith(b"\x7fELF") and b"ld-linux" not in head and b"ld-musl" not in head
