"""The web server before the applications: how soon a change is there through Apache, and what many routes cost, map beside fragment."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import time

from engine import Failed, LeftOut, toml
from measure import Row, interleaved

PARTS = ("proxy",)
MODULES = ("mpm_event", "authz_core", "rewrite", "headers", "proxy", "proxy_http", "proxy_wstunnel")
DIRECTORY = "/usr/lib/apache2/modules"
ROUTES = 1000
PATIENCE = 60  # seconds until a change must be there
SYMBOLS = "abcdefghijklmnopqrstuvwxyz234567"


class Apache:
    """An Apache of the benchmark's own, with zoe's virtual host, and a page behind it."""

    def __init__(self, directory, mode):
        self.mode = mode
        self.root = os.path.join(directory, f"apache-{mode}")
        self.routes = os.path.join(self.root, "routes", "routes")
        os.makedirs(os.path.dirname(self.routes))
        for path in (directory, self.root):
            os.chmod(path, 0o755)  # Apache's children are another user
        self.conf = os.path.join(self.root, "apache.conf")
        self.port, self.page = free_port(), free_port()
        self.process = None

    def settings(self):
        return {
            "ZOE_APACHE_WEB_SERVER_NAME": f"localhost:{self.port}",
            "ZOE_APACHE_PROXY_CONFIG_FILE": self.routes,
            "ZOE_APACHE_PROXY_MODE": self.mode,
            "ZOE_APACHE_CONFIGTEST_COMMAND": f'apache2 -t -f {self.conf} -c "Include $ZOE_FRAGMENT"',
            "ZOE_APACHE_RELOAD_COMMAND": f"apache2 -f {self.conf} -k graceful",
            "ZOE_INTERVALS_PROXY_RELOAD": "1",
        }

    def start(self, virtual_host):
        lines = [f"ServerRoot {self.root}", f"PidFile {self.root}/pid", f"DefaultRuntimeDir {self.root}"]
        lines += [f"ErrorLog {self.root}/error.log", "ServerName localhost"]
        lines += [f"Listen 127.0.0.1:{port}" for port in (self.port, self.page)]
        if os.getuid() == 0:
            lines += ["User www-data", "Group www-data"]
        lines += [f"LoadModule {module}_module {DIRECTORY}/mod_{module}.so" for module in MODULES]
        page = os.path.join(self.root, "page")
        os.makedirs(page)
        with open(os.path.join(page, "x"), "w") as file:
            file.write("x" * 1000)
        lines += [f"<VirtualHost *:{self.page}>", f"DocumentRoot {page}", "</VirtualHost>", virtual_host]
        with open(self.conf, "w") as file:
            file.write("\n".join(lines) + "\n")
        self.process = subprocess.Popen(["apache2", "-f", self.conf, "-DFOREGROUND"], stderr=subprocess.DEVNULL)
        self.until("/zoe/", 404)

    def status(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status
        except ConnectionRefusedError:
            return None
        finally:
            connection.close()

    def until(self, path, status):
        """Seconds until that is the answer."""
        begin = time.perf_counter()
        while self.status(path) != status:
            if time.perf_counter() - begin > PATIENCE:
                raise Failed(f"Apache does not answer {status} for {path}; see {self.root}/error.log")
            time.sleep(0.002)
        return time.perf_counter() - begin

    def close(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


class ProxyBench:
    """The measurements."""

    def __init__(self, zoe, engine, fixtures, processes, directory, options, say):
        self.zoe, self.engine, self.fixtures, self.processes = zoe, engine, fixtures, processes
        self.directory, self.quick, self.say = directory, options.quick, say
        self.description = os.path.join(directory, "page.toml")
        self.settled = 0.0

    def proxy(self):
        if not shutil.which("apache2") or not shutil.which("ab"):
            raise LeftOut("apache2 and ab are needed (on Debian: apt-get install apache2)")
        with open(self.description, "w") as file:
            file.write(self.application())
        with contextlib.ExitStack() as stack:
            both = []
            for mode in ("map", "fragment"):
                apache = Apache(self.directory, mode)
                stack.callback(apache.close)
                self.set_up(apache)
                both.append(apache)
            yield from self.changes(both)
            yield from self.rates(both)

    def application(self):
        command = ["sh", "-c", "echo x >/index.html; exec busybox httpd -f -p 8000 -h /"]
        component = {"name": "page", "image": self.fixtures.image, "cores": 0.05, "memory": "16m", "command": command}
        text = toml({"schema": 1, "name": "page", "component": [component]})
        return text + '\n[[component.port]]\nname = "web"\ncontainer = 8000\nproxy = true\n'

    def environment(self, apache):
        return self.processes.environment | apache.settings()

    def ask(self, apache, *arguments):
        command = [self.zoe, *arguments]
        answer = subprocess.run(command, env=self.environment(apache), capture_output=True, text=True, timeout=PATIENCE)
        if answer.returncode != 0:
            raise Failed(f"{' '.join(command)} failed\n{answer.stderr.strip()}")
        return answer.stdout

    def set_up(self, apache):
        if apache.mode == "map":
            self.ask(apache, "proxy", "sync")
        apache.start(self.ask(apache, "proxy", "setup"))

    def changes(self, both):
        """From the return of `zoe run -d`, and from the start of `zoe kill`, until Apache answers otherwise."""
        self.say("routes that come and go")
        times = {apache.mode: ([], []) for apache in both}
        rounds = 2 if self.quick else 10
        for number in range(rounds + 1):
            for apache in both:
                came, went = self.come_and_go(apache)
                if number:  # the first is for nothing
                    times[apache.mode][0].append(came)
                    times[apache.mode][1].append(went)
        for index, what in enumerate(("zoe run -d has returned, until its page is there", "zoe kill, until it is not")):
            yield Row(f"{what}, map", times["map"][index], "fragment", times["fragment"][index])

    def come_and_go(self, apache):
        # In a fragment, so long since the last reload that the next need not wait.
        time.sleep(max(0, self.settled + 1.1 - time.monotonic()))
        environment = self.environment(apache)
        self.processes.time([self.zoe, "run", self.description, "-d"], environment)
        tickets = self.engine.containers(self.fixtures.deployment_label, "zoe.kind=ticket")
        path = tickets[0]["Labels"]["zoe.proxy-path"] + "/page/web/"
        came = apache.until(path, 200)
        time.sleep(1.1)
        command = [self.zoe, "kill", "--all", "-y"]
        pid = self.processes.start(command, environment)
        went = apache.until(path, 404)
        self.processes.finish(pid, command)
        self.settled = time.monotonic()
        return came, went

    def rates(self, both):
        """Requests per second to the last of many routes, a small page behind it."""
        self.say(f"requests over {ROUTES} routes")
        subjects = [lambda apache=apache, path=self.many(apache): self.rate(apache, path) for apache in both]
        mapped, fragment = interleaved(2 if self.quick else 7, *subjects)
        yield Row(f"requests per second, {ROUTES} routes, map", mapped, "fragment", fragment, unit="/s")

    def many(self, apache):
        """Publishes so many routes, made of one that zoe made, and gives the path of a page behind the last."""
        environment = self.environment(apache)
        self.processes.time([self.zoe, "run", self.description, "-d"], environment)
        time.sleep(1.1)
        self.ask(apache, "proxy", "sync")
        with open(apache.routes) as file:
            head, *rest = file.read().split("# execution ", 1)
        self.ask(apache, "kill", "--all", "-y")
        block = "# execution " + rest[0]
        token = re.search(r"([a-z2-7]{26})/page/web", block).group(1)
        blocks, made = [], token
        for number in range(ROUTES):
            made = "".join(SYMBOLS[(number >> shift) & 31] for shift in range(0, 130, 5))
            made_block = block.replace(token, made)
            blocks.append(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{apache.page}", made_block))
        with open(apache.routes + ".bench", "w") as file:
            file.write(head + "".join(blocks))
        os.replace(apache.routes + ".bench", apache.routes)
        if apache.mode == "fragment":
            subprocess.run(["apache2", "-f", apache.conf, "-k", "graceful"], check=True, stderr=subprocess.DEVNULL)
        path = f"/zoe/{made}/page/web/x"
        apache.until(path, 200)
        return path

    def rate(self, apache, path):
        url = f"http://127.0.0.1:{apache.port}{path}"
        count = 1000 if self.quick else 5000
        command = ["ab", "-q", "-n", str(count), "-c", "8", "-H", f"Host: localhost:{apache.port}", url]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
        found = re.search(r"Requests per second:\s+([\d.]+)", answer.stdout)
        if not found or "Non-2xx" in answer.stdout or not re.search(r"Failed requests:\s+0\n", answer.stdout):
            raise Failed(f"ab failed\n{answer.stdout}{answer.stderr}")
        return float(found.group(1))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
