#!/usr/bin/env python3
"""Puts images of this machine's Engine into the lab's registry without compressing them.

    push.py HOST:PORT ID=NAME:TAG...

`docker push` spends its time on gzip, and every node then on gunzip; here the layers go as they are, all images in one
`docker save`, so that what they share is read once. A layer that is there already is not sent again where its name is
known before, which is when the registry has all layers of all images.
"""

import hashlib
import http.client
import json
import posixpath
import subprocess
import sys
import tarfile

# Where layers go first; each image's repository then takes them from there.
SHARED = "lab/layers"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar"
# What is larger is not kept in memory.
SMALL = 1 << 20


class Registry:
    def __init__(self, place):
        self.connection = http.client.HTTPConnection(place, timeout=120)

    def ask(self, method, path, body=None, headers=None, expected=(200, 201, 202)):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in expected:
            raise SystemExit(f"the registry refuses {method} {path}: {answer.status} {text.decode(errors='replace')}")
        return answer

    def has(self, digest):
        return self.ask("HEAD", f"/v2/{SHARED}/blobs/{digest}", expected=(200, 404)).status == 200

    def upload(self, repository, stream, size):
        """Sends a blob of that size; returns its digest."""
        digest = hashlib.sha256()

        def pieces():
            left = size
            while left:
                piece = stream.read(min(SMALL, left))
                if not piece:
                    raise SystemExit("the Engine's archive ends too early")
                digest.update(piece)
                left -= len(piece)
                yield piece

        place = self.ask("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        place = self.ask("PATCH", place, pieces(), headers).headers["Location"]
        name = "sha256:" + digest.hexdigest()
        self.ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={name}")
        return name

    def upload_bytes(self, repository, data):
        from io import BytesIO

        return self.upload(repository, BytesIO(data), len(data))

    def mount(self, repository, digest):
        self.ask("POST", f"/v2/{repository}/blobs/uploads/?mount={digest}&from={SHARED}", expected=(201,))


class Archive:
    """What `docker save` writes: layers sent on, the rest kept."""

    def __init__(self, registry, ids, send):
        self.small, self.sent, self.links = {}, {}, {}
        save = subprocess.Popen(["docker", "save", *ids], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=save.stdout, mode="r|", bufsize=SMALL) as tar:
            for member in tar:
                if member.issym() or member.islnk():
                    base = posixpath.dirname(member.name) if member.issym() else ""
                    self.links[member.name] = posixpath.normpath(posixpath.join(base, member.linkname))
                elif member.isfile() and member.size < SMALL:
                    self.small[member.name] = tar.extractfile(member).read()
                elif member.isfile() and send:
                    self.sent[member.name] = registry.upload(SHARED, tar.extractfile(member), member.size)
        if save.wait() != 0:
            raise SystemExit("docker save failed")
        self.images = json.loads(self.small["manifest.json"])

    def real(self, name):
        return self.links.get(name, name)


def layers_of(ids):
    """The digests of all their layers, as they are before compression."""
    text = subprocess.run(["docker", "image", "inspect", *ids], check=True, stdout=subprocess.PIPE).stdout
    return {layer for image in json.loads(text) for layer in image["RootFS"]["Layers"]}


def sizes(registry, digest):
    return int(registry.ask("HEAD", f"/v2/{SHARED}/blobs/{digest}").headers["Content-Length"])


def main():
    place, *pairs = sys.argv[1:]
    registry = Registry(place)
    names = {}
    for pair in pairs:
        identity, _, name = pair.partition("=")
        names.setdefault(identity, []).append(name)
    missing = {layer for layer in layers_of(names) if not registry.has(layer)}
    archive = Archive(registry, list(names), send=bool(missing))
    for image in archive.images:
        config = archive.small[archive.real(image["Config"])]
        identity = "sha256:" + hashlib.sha256(config).hexdigest()
        if identity not in names:
            raise SystemExit(f"{identity} was not asked for: this Engine names images otherwise")
        layers = json.loads(config)["rootfs"]["diff_ids"]
        for path, digest in zip(image["Layers"], layers, strict=True):
            if digest in missing and archive.real(path) in archive.small:
                registry.upload_bytes(SHARED, archive.small[archive.real(path)])
                missing.discard(digest)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(config), "digest": identity},
            "layers": [{"mediaType": LAYER, "size": sizes(registry, layer), "digest": layer} for layer in layers],
        }
        for name in names.pop(identity):
            repository, _, tag = name.rpartition(":")
            for layer in layers:
                registry.mount(repository, layer)
            registry.upload_bytes(repository, config)
            body = json.dumps(manifest)
            registry.ask("PUT", f"/v2/{repository}/manifests/{tag}", body, {"Content-Type": MANIFEST})
    if names:
        raise SystemExit(f"docker save has left out {', '.join(names)}")


main()
