"""History over a million executions, in SQLite and in a MariaDB of this script's own: taken in, listed, searched, added up. Needs no Docker."""

import json
import os
import random
import shutil
import socket
import subprocess
import time

from engine import Failed
from measure import Row, interleaved

MOST, FEW = 1_000_000, 1_000
QUICK = 100_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SYMBOLS = LETTERS + "234567"
END = 1_790_000_000_000
SPAN = 3 * 365 * 86_400_000
DAY = 86_400_000
PAGE_GOAL = 0.1
CANCELLED = 40


def identity(number):
    """A number as the id of an execution; those of neighbours are far from each other, as random ones are."""
    number = (number * 7_919_000_007 + 12_345) % (26 * 32**7)
    number, rest = divmod(number, 26)
    word = LETTERS[rest]
    for _ in range(7):
        number, rest = divmod(number, 32)
        word += SYMBOLS[rest]
    return word


def moment(milliseconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))


def write_export(path, count, schema, description):
    """Three years of executions, the same each time: 200 users of whom few do most, 90 in 100 are batch jobs; 40 were cancelled."""
    rnd = random.Random(1)
    applications = ["spark-submit"] * 90 + ["spark-notebook"] * 9 + ["spark-cluster"]
    with open(path, "w") as file:
        head = {"format": "zoe-database", "version": 1, "schema": schema, "zoe": "bench"}
        file.write(json.dumps(head) + "\n")
        for n in range(count):
            at = END - SPAN + SPAN * n // count
            start = at + rnd.randrange(60_000)
            chance = rnd.random()
            outcome = "finished" if chance < 0.9 else "failed" if chance < 0.98 else "timed_out"
            if n % (count // CANCELLED) == 5:
                outcome = "cancelled"
            row = {
                "deployment": "bench",
                "id": identity(n),
                "name": "rare" if n % (count // 4) == 7 else f"job-{n % 50_000}",
                "user_name": "eve" if n % (count // 4) == 7 else f"user{min(199, int(rnd.expovariate(1 / 25)))}",
                "application": "rare" if n % (count // 4) == 7 else rnd.choice(applications),
                "description": description,
                "user_key": None,
                "submitted_at": at,
                "started_at": start,
                "exit_code": 1 if outcome == "failed" else None,
                "outcome": outcome,
                "reason": "it exited with 1" if outcome == "failed" else None,
                "logs": f"/var/lib/zoe/history/{identity(n)}.zip",
                "ended_at": start + int(rnd.expovariate(1 / 1_200_000)) + 1000,
                "cores": 1000 * rnd.randrange(1, 33),
                "memory": rnd.randrange(1, 129) << 30,
                "terms": "{}",
            }
            file.write(json.dumps({"table": "executions", "row": row}) + "\n")
        file.write(json.dumps({"end": {"executions": count}}) + "\n")


class Server:
    """A MariaDB in a directory, at a port of its own."""

    def __init__(self, directory):
        self.directory, self.process = directory, None
        os.makedirs(os.path.join(directory, "tmp"))
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        common = [f"--user={user}", f"--datadir={directory}/data", f"--tmpdir={directory}/tmp"]
        install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run([*install, *common], check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # It ends with this script, however that ends.
        command = ["setpriv", "--pdeathsig", "KILL", "mariadbd", "--no-defaults", *common, "--skip-name-resolve"]
        command += [f"--socket={directory}/s", f"--pid-file={directory}/pid", f"--log-error={directory}/log"]
        command += [f"--port={self.port}", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=1G"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            if self.sql("SELECT 1").returncode == 0:
                break
            time.sleep(0.1)
        self.sql("CREATE USER zoe@'%'; GRANT ALL ON `zoe%`.* TO zoe@'%'")

    def sql(self, text):
        client = ["mariadb", "--no-defaults", f"--socket={self.directory}/s", "-u", "root", "-e", text]
        return subprocess.run(client, capture_output=True, text=True)

    def end(self):
        self.process.kill()
        self.process.wait()


class HistoryBench:
    """The measurements."""

    def __init__(self, zoe, processes, directory, quick, say):
        self.zoe, self.processes, self.quick, self.say = zoe, processes, quick, say
        self.directory = os.path.join(directory, "history")
        os.mkdir(self.directory)

    def environment(self, url):
        return {**self.processes.environment, "ZOE_DEPLOYMENT": "bench", "ZOE_DB_URL": url}

    def answer(self, url, *arguments):
        done = subprocess.run([self.zoe, *arguments], env=self.environment(url), capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"zoe {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def fill(self, url, count):
        """Seconds for taking that many in."""
        status = json.loads(self.answer(url, "db", "init", "-o", "json"))
        path = os.path.join(self.directory, f"{count}.jsonl")
        if not os.path.exists(path):
            description = json.dumps({"schema": 1, "name": "spark-submit", "padding": "x" * 500})
            write_export(path, count, status["schema"], description)
        begin = time.perf_counter()
        self.answer(url, "db", "import", path)
        return time.perf_counter() - begin

    def history(self):
        """Each question to both databases, over many executions beside the same over few."""
        most = QUICK if self.quick else MOST
        kinds = {"SQLite": lambda name: f"sqlite://{self.directory}/{name}.db"}
        server = None
        if shutil.which("mariadbd"):
            server = Server(os.path.join(self.directory, "server"))
            kinds["MariaDB"] = lambda name: f"mysql://zoe@127.0.0.1:{server.port}/zoe_{name}"
        else:
            self.say("no MariaDB here (Debian: mariadb-server): SQLite only")
        try:
            for kind, url in kinds.items():
                self.say(f"{kind}: {most} executions")
                few, many = url("few"), url("many")
                self.fill(few, FEW)
                seconds = self.fill(many, most)
                begin = time.perf_counter()
                self.answer(many, "db", "export", os.path.join(self.directory, "again.jsonl"))
                exported = time.perf_counter() - begin
                yield Row(f"{kind}: importing {most}", [seconds], "exporting them", [exported], unit="s")
                yield self.one_more(kind, few, many, most)
                yield from self.questions(kind, few, many, most)
        finally:
            if server:
                server.end()

    def one_more(self, kind, few, many, most):
        """What one execution's record takes, beside the same with few: of a Docker that is a file."""
        environments = [self.environment(url) for url in (many, few)]
        timed = []
        for number, environment in enumerate(environments):
            docker = os.path.join(self.directory, f"{kind}-{number}.json")
            environment["DOCKER_HOST"] = f"memory:{docker}?cores=4&memory=8g&images=all"
            timed.append(lambda env=environment: self.recorded(env))
        ours, theirs = interleaved(3 if self.quick else 11, *timed)
        return Row(f"{kind}, {most}: submitting one more and ending it", ours, f"over {FEW}", theirs)

    def recorded(self, environment):
        """Seconds for an execution that waits to be submitted and ended: its record is put in, and filled in."""
        begin = time.perf_counter()
        for arguments in (["run", "jupyter", "-d", "--hold", "--name", "one-more"], ["kill", "one-more"]):
            done = subprocess.run([self.zoe, *arguments], env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(f"zoe {' '.join(arguments)}: {done.stderr.strip()}")
        return time.perf_counter() - begin

    def questions(self, kind, few, many, most):
        middle = moment(END - SPAN // 2)
        month = ["--since", moment(END - 30 * DAY)]
        pages = {
            "the last 50": [],
            "50 from the middle on": None,
            "50 of a user's": ["--user", "user3"],
            "of a user who has 4": ["--user", "eve"],
            "of a name that 4 have": ["--name", "rare"],
            "of an application that 4 have": ["--application", "rare"],
            "of an application that 9 in 10 have": ["--application", "spark-submit"],
            "the last 50 that failed": ["--state", "failed"],
            f"of the {CANCELLED} that were cancelled": ["--state", "cancelled"],
        }
        rest = {
            "what ran three days ago": ["--at", moment(END - 3 * DAY), "-o", "json"],
            "what ran 18 months ago": ["--at", middle, "-o", "json"],
            "sums by user, a month": ["--sum", "user", *month],
            "sums by user, all": ["--sum", "user"],
            "sums by application, all": ["--sum", "application"],
        }
        for what, arguments in {**pages, **rest}.items():
            timed = []
            for url, count in ((many, most), (few, FEW)):
                asked = ["--after", identity(count // 2)] if arguments is None else arguments
                command = [self.zoe, "history", *asked]
                if not self.answer(url, "history", *asked).strip():
                    raise Failed(f"{kind}: {what}: nothing was found")
                environment = self.environment(url)
                timed.append(lambda argv=command, env=environment: self.processes.time(argv, env))
            ours, theirs = interleaved(3 if self.quick else 11, *timed)
            goal = {"goal": "under 0.1 s", "limit": PAGE_GOAL} if what in pages else {}
            yield Row(f"{kind}, {most}: {what}", ours, f"over {FEW}", theirs, **goal)
