"""What zoe starts, written as a stack file: what a person would write who has only the docker CLI."""

import json
import secrets

from engine import FOREVER, LABEL, MEMBERS

COMPONENT = "bench.component"  # the label by which a component's tasks are found


def deploy(run, cores, memory, replicas):
    """Limits and reservations, no restart, no virtual address: as zoe's members have it. `memory` is in bytes."""
    amounts = {"cpus": str(cores), "memory": f"{memory}b"}
    return {
        "replicas": replicas,
        "endpoint_mode": "dnsrr",
        "restart_policy": {"condition": "none"},
        "resources": {"limits": amounts, "reservations": amounts},
        "labels": {LABEL: run},
    }


def written(path, run, services, **more):
    """Writes the file (JSON is YAML). All services are in one overlay network of the stack's own."""
    networks = {"default": {"driver": "overlay", "labels": {LABEL: run}}}
    content = {"version": "3.8", "services": services, "networks": networks} | more
    with open(path, "w") as file:
        json.dump(content, file, indent=2)


def tiny(path, run, image, cores, split):
    """One master and eight workers that do nothing: two services, or, where split, one for each member."""

    def service(replicas):
        return {"image": image, "entrypoint": FOREVER, "deploy": deploy(run, cores, 64 << 20, replicas)}

    workers = {f"worker-{i}": service(1) for i in range(MEMBERS - 1)} if split else {"worker": service(MEMBERS - 1)}
    written(path, run, {"master": service(1)} | workers)


def like(path, run, services):
    """The same as what zoe has started: same images, environment, sizes, ports and secrets; one service a component.

    `services` are those that zoe made, as Docker shows them. The master's name is `master` here.
    """
    components = {}
    for service in services:
        components.setdefault(service["Spec"]["Labels"]["zoe.component"], []).append(service["Spec"])
    described, files = {}, {}
    for name, specs in components.items():
        described[name] = component(run, specs[0], len(specs))
        described[name]["deploy"]["labels"][COMPONENT] = name
        for secret in described[name]["secrets"]:
            files[secret["source"]] = f"{path}.{secret['source']}"
    for file in files.values():
        with open(file, "w") as out:
            out.write(secrets.token_hex(32))
    described_secrets = {name: {"file": file, "labels": {LABEL: run}} for name, file in files.items()}
    written(path, run, described, secrets=described_secrets)


def component(run, spec, replicas):
    """One service of the stack after one of zoe's."""
    task = spec["TaskTemplate"]
    container, limits = task["ContainerSpec"], task["Resources"]["Limits"]
    environment = dict(entry.partition("=")[::2] for entry in container.get("Env") or [])
    if "SPARK_MASTER_IP" in environment:
        environment["SPARK_MASTER_IP"] = "master"
    ports = (spec.get("EndpointSpec") or {}).get("Ports") or []
    described = {
        "image": container["Image"].partition("@")[0],
        "environment": {key: value.replace("$", "$$") for key, value in environment.items()},
        "deploy": deploy(run, limits["NanoCPUs"] / 1e9, limits["MemoryBytes"], replicas),
        "ports": [{"target": port["TargetPort"], "mode": "host"} for port in ports],
        "secrets": [secret(entry["File"]) for entry in container.get("Secrets") or []],
    }
    if container.get("Init"):
        described["init"] = True
    for ours, theirs in (("Command", "entrypoint"), ("Args", "command")):
        if container.get(ours):
            described[theirs] = [word.replace("$", "$$") for word in container[ours]]
    return described


def secret(file):
    name = file["Name"].rsplit("/", 1)[-1]
    return {"source": name, "target": name, "uid": file["UID"], "gid": file["GID"], "mode": file["Mode"]}
