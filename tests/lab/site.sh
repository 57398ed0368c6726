# What the nodes stand on: a bridge with an address on this machine, and a registry. Sourced by scripts/lab.
# shellcheck shell=bash

# Packets between nodes pass this machine's firewall wherever an Engine has told the kernel to show it bridged ones.
rules() {
    local -r action=$1
    local rule
    for rule in "FORWARD -i $LAB_BRIDGE -o $LAB_BRIDGE" "INPUT -i $LAB_BRIDGE"; do
        # shellcheck disable=SC2086
        if iptables -w -C $rule -m comment --comment zoe-lab -j ACCEPT 2>/dev/null; then
            [ "$action" = add ] || iptables -w -D $rule -m comment --comment zoe-lab -j ACCEPT
        elif [ "$action" = add ]; then
            iptables -w -I $rule -m comment --comment zoe-lab -j ACCEPT
        fi
    done
}

bridge_up() {
    local node taken
    if ! ip link show "$LAB_BRIDGE" >/dev/null 2>&1; then
        taken=$(ip -o -4 route show root "$LAB_NET.0.0/16" | head -n 1)
        [ -z "$taken" ] || fail "this machine has a route into $LAB_NET.0.0/16 already ($taken); choose another net for the lab: ZOE_LAB_NET=10.99 scripts/lab up"
        ip link add "$LAB_BRIDGE" type bridge
    fi
    ip address replace "$LAB_HOST/24" dev "$LAB_BRIDGE"
    ip link set "$LAB_BRIDGE" up
    for node in "${LAB_NODES[@]}"; do
        ip route replace "$(subnet "$node")" via "$(address "$node")" dev "$LAB_BRIDGE"
    done
    rules add
}

bridge_down() {
    local node
    for node in "${LAB_NODES[@]}"; do
        ip link delete "$(port "$node")" 2>/dev/null || true
    done
    ip link delete "$LAB_BRIDGE" 2>/dev/null || true
    rules remove
}

registry_answers() {
    curl -fsS --noproxy '*' --max-time 2 "http://$1/v2/" >/dev/null 2>&1
}

# Two servers of one store: one for the nodes, one for an Engine on this machine, which trusts 127.0.0.1 only.
registry_up() {
    local at name pid config
    for at in "$LAB_REGISTRY" "$LAB_PUSH"; do
        registry_answers "$at" && continue
        name=zoe-lab-registry-${at%:*}
        for pid in $(processes "$name"); do end "$pid"; done
        config=$LAB_STATE/$name.yml
        mkdir -p "$LAB_DATA/registry"
        cat >"$config" <<CONFIG
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: $LAB_DATA/registry, maxthreads: 100}
  delete: {enabled: true}
http: {addr: $at, secret: zoe-lab}
CONFIG
        background "$name" docker-registry serve "$config"
        await 10 "the registry did not answer at $at; see $LAB_STATE/$name.log" registry_answers "$at"
    done
}

registry_down() {
    local at pid
    for at in "$LAB_REGISTRY" "$LAB_PUSH"; do
        for pid in $(processes "zoe-lab-registry-${at%:*}"); do end "$pid"; done
    done
}

# What the registry holds, one NAME:TAG a line.
registry_content() {
    local name
    for name in $(registry_get _catalog?n=1000 | grep -o '"[^"]*"' | tr -d '"' | tail -n +2); do
        registry_get "$name/tags/list" | sed -n 's/.*"tags":\[\([^]]*\)\].*/\1/p' | tr ',' '\n' | tr -d '"' | sed "/./s|^|$name:|"
    done
}

registry_get() {
    curl -fsS --noproxy '*' --max-time 10 "http://$LAB_PUSH/v2/$1" 2>/dev/null || true
}

# The ids of an image as the registry knows it: its configuration's, which is the image's for an Engine, and its manifest's.
registry_ids() {
    local -r name=$1 tag=$2 type=application/vnd.docker.distribution.manifest
    curl -sS --noproxy '*' --max-time 10 --dump-header - -H "Accept: $type.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json" \
        "http://$LAB_PUSH/v2/$name/manifests/$tag" 2>/dev/null | tr -d '\n\r ' |
        grep -oE '(config":\{[^}]*digest":"|Docker-Content-Digest:)sha256:[0-9a-f]{64}' | grep -o 'sha256:.*' || true
}

# Puts images of this machine's Engine into the registry, those that are not there; prints how the nodes call them.
push() {
    local image name tag id missing=() names=()
    for image in "$@"; do
        name=${image%:*} tag=${image##*:}
        # A port is no tag.
        [[ $image == *:* && $tag != */* ]] || name=$image tag=latest
        id=$(own_docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) ||
            fail "this machine's Engine has no image '$image'; docker images lists what it has"
        names+=("$name:$tag")
        registry_ids "$name" "$tag" | grep -qx "$id" || missing+=("$id=$name:$tag")
    done
    registry_answers "$LAB_PUSH" || fail "the lab's registry does not answer; scripts/lab up"
    [ ${#missing[@]} -eq 0 ] || send "${missing[@]}" || fail "not everything could be put into the lab's registry; see above"
    printf "$LAB_REGISTRY/%s\n" "${names[@]}"
}

send() {
    # An Engine that keeps images otherwise has to do it itself.
    own python3 "$LAB_CODE/push.py" "$LAB_PUSH" "$@" && return
    echo "trying docker push" >&2
    local pair to
    for pair in "$@"; do
        to=$LAB_PUSH/${pair#*=}
        own_docker tag "${pair%%=*}" "$to" && own_docker push --quiet "$to" >/dev/null && own_docker rmi "$to" >/dev/null || return
    done
}
