"""What the benchmark makes in a Swarm: looked at, waited for, copied, removed. Everything carries the run's label."""

import base64
import json
import time

from engine import LABEL, Engine, Failed, each, execution_id, labelled

# What belongs to an execution or a stack, in the order in which it goes.
KINDS = ("services", "tasks", "networks", "secrets", "configs")
HOLDING = ("assigned", "accepted", "preparing", "ready", "starting", "running")  # states of a task that is on a node


class Swarm(Engine):
    """A Swarm, through one of its managers."""

    def __init__(self, manager, run):
        super().__init__(manager)
        self.run = run
        self.nodes = self.call("GET", "/nodes")

    @property
    def deployment_label(self):
        return f"zoe.deployment={self.run}"

    @property
    def own_label(self):
        return f"{LABEL}={self.run}"

    def objects(self, kind, *labels):
        """All of a kind with these labels. A task has those of its service, also when that is gone."""
        return self.call("GET", f"/{kind}", {"filters": labelled(*labels)})

    def described(self, label):
        """All with that label, by kind."""
        return {kind: self.objects(kind, label) for kind in KINDS}

    def running(self, label):
        """The tasks that run."""
        return [task for task in self.objects("tasks", label) if task["Status"]["State"] == "running"]

    def until_running(self, begin, label, count, why=str):
        """Seconds since `begin` when so many tasks run."""
        while len(self.running(label)) < count:
            if time.perf_counter() - begin > 180:
                states = [task["Status"] for task in self.objects("tasks", label)]
                words = {status.get("Err") or status["State"] for status in states}
                raise Failed(f"not all of {count} tasks run after three minutes: {', '.join(words)}\n{why()}")
            time.sleep(0.01)
        return time.perf_counter() - begin

    def until_gone(self, begin, label):
        """Seconds since `begin` when nothing with that label is left."""
        while left := next((kind for kind in KINDS if self.objects(kind, label)), None):
            if time.perf_counter() - begin > 180:
                raise Failed(f"{left} with the label {label} are still there after three minutes")
            time.sleep(0.01)
        return time.perf_counter() - begin

    def free_cores(self):
        """What no task holds of the processors of all nodes."""
        total = sum(node["Description"]["Resources"]["NanoCPUs"] for node in self.nodes)
        held = [task for task in self.call("GET", "/tasks") if task["Status"]["State"] in HOLDING]
        reserved = [(task["Spec"].get("Resources") or {}).get("Reservations") or {} for task in held]
        return (total - sum(reservation.get("NanoCPUs", 0) for reservation in reserved)) / 1e9

    def published(self, port, *labels):
        """The address and the port at which a running task's port answers; nothing as long as there is none."""
        for task in self.objects("tasks", *labels):
            for known in task["Status"].get("PortStatus", {}).get("Ports") or []:
                if task["Status"]["State"] == "running" and known["TargetPort"] == port and known.get("PublishedPort"):
                    address = next(node["Status"]["Addr"] for node in self.nodes if node["ID"] == task["NodeID"])
                    return address, known["PublishedPort"]
        return None

    def remove(self):
        """Removes all that this run made, until nothing is left: networks after the tasks that hold their addresses."""
        deadline = time.monotonic() + 180
        for label in (self.deployment_label, self.own_label):
            for kind in KINDS:
                while found := self.objects(kind, label):
                    if time.monotonic() > deadline:
                        raise Failed(f"{kind} with the label {label} are still there after three minutes")
                    if kind == "tasks":
                        time.sleep(0.05)
                    else:
                        self.remove_objects(kind, found)

    def remove_objects(self, kind, found):
        # 400, 403, 409: still in use by what is going.
        paths = [f"/{kind}/{item.get('ID') or item['Id']}" for item in found]
        each(lambda path: self.call("DELETE", path, ok=(400, 403, 404, 409)), paths)


class Copies:
    """Executions that look to zoe like its own: copies of one that it made, on no node.

    No node fits their members, whose tasks wait for ever: hundreds of them cost a Swarm next to nothing.
    """

    def __init__(self, swarm, pattern):
        """Copies of the one execution that `pattern` holds, see `Swarm.described`."""
        self.swarm, self.made = swarm, 0
        self.services, self.configs, self.networks = (pattern[kind] for kind in ("services", "configs", "networks"))
        if len(self.configs) != 1 or not self.services:
            raise Failed(f"a pattern is one execution, not {len(self.configs)} tickets, {len(self.services)} services")
        self.id = self.configs[0]["Spec"]["Labels"]["zoe.execution"]

    def grow_to(self, executions):
        """Makes copies until there are so many, and until Docker has decided about the tasks."""
        each(self.make, range(self.made, executions))
        self.made = executions
        wanted, deadline = executions * len(self.services), time.monotonic() + 120
        while sum(t["Status"]["State"] == "pending" for t in self.tasks()) < wanted:
            if time.monotonic() > deadline:
                raise Failed(f"{wanted} tasks should wait, there are {len(self.tasks())}")
            time.sleep(0.1)

    def tasks(self):
        return self.swarm.objects("tasks", self.swarm.deployment_label)

    def make(self, number):
        """One copy: the ticket first, as zoe does it."""
        new = execution_id(number)
        for config in self.configs:
            spec = self.renamed(config["Spec"], new)
            data = base64.b64decode(config["Spec"]["Data"]).replace(self.id.encode(), new.encode())
            self.swarm.call("POST", "/configs/create", body=spec | {"Data": base64.b64encode(data).decode()})
        networks = {network["Id"]: self.make_network(network, new) for network in self.networks}
        for service in self.services:
            spec = self.renamed(service["Spec"], new)
            task = spec["TaskTemplate"]
            task["Placement"] = {"Constraints": ["node.id==none"]}
            for network in task.get("Networks") or []:
                network["Target"] = networks.get(network["Target"], network["Target"])
            self.swarm.call("POST", "/services/create", body=spec)

    def make_network(self, network, new):
        kept = ("Name", "Driver", "Attachable", "Internal", "EnableIPv6", "Labels", "Options")
        body = self.renamed({key: network[key] for key in kept}, new)
        # Docker's own choice for that network.
        body["Options"] = {k: v for k, v in (body["Options"] or {}).items() if "vxlanid" not in k}
        return self.swarm.call("POST", "/networks/create", body=body)["Id"]

    def renamed(self, value, new):
        """The value with the other execution's id in all names, labels and texts."""
        return json.loads(json.dumps(value).replace(self.id, new))
