#!/usr/bin/env bash
# The first process of a node, in namespaces of its own: sets the machine up, then keeps its Engine running.
# When it dies, everything on the node dies with it.
set -euo pipefail
# shellcheck source=tests/lab/settings.sh
. "$(dirname "$0")/settings.sh"

# What the Engine takes for the machine's memory.
memory() {
    awk -v total="$1" '
        /^MemTotal:/ { $2 = total }
        /^Mem(Free|Available):/ && $2 > total { $2 = total }
        { printf "%-15s %8s%s\n", $1, $2, $3 == "" ? "" : " " $3 }
    ' /proc/meminfo
}

# The processors that this process may use, one a line.
processors() {
    sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr ',' '\n' | while IFS=- read -r first last; do
        seq "$first" "${last:-$first}"
    done
}

# The node's share of them: as many as declared or as there are, the nodes side by side where the machine is large.
share() {
    local -r node=$1
    local all mine=() i first=0 before
    mapfile -t all < <(processors)
    for before in "${LAB_NODES[@]}"; do
        [ "$before" = "$node" ] && break
        first=$((first + LAB_CPUS["$before"]))
    done
    for ((i = 0; i < LAB_CPUS["$node"] && i < ${#all[@]}; i++)); do
        mine+=("${all[(first + i) % ${#all[@]}]}")
    done
    (IFS=, && echo "${mine[*]}")
}

# Directories that another Engine on this machine may use too.
own_directories() {
    local mounts point type
    # What containers of the machine's own Engine have mounted would be kept busy from here.
    mounts=$(</proc/mounts)
    while read -r _ point type _; do
        case $type:$point in
            *:/) ;;
            overlay:* | nsfs:* | *:*/mounts/shm) umount -l "$point" || true ;;
        esac
    done <<<"$mounts"
    mount -t tmpfs tmpfs /run/docker
    mount -t tmpfs tmpfs /run/containerd
    mount --bind "$LAB_DATA/$1/etc" /etc/docker
}

network() {
    local -r node=$1
    local other
    until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
    ip link set lo up
    ip address add "$(address "$node")/24" dev eth0
    ip link set eth0 up
    # A site whose container bridges are joined: from any container to any other by its address.
    for other in "${LAB_NODES[@]}"; do
        [ "$other" = "$node" ] || ip route add "$(subnet "$other")" via "$(address "$other")"
    done
    iptables -w -N DOCKER-USER
    iptables -w -A DOCKER-USER -s "$LAB_NET.0.0/16" -d "$LAB_NET.0.0/16" -j ACCEPT
}

engine() {
    local -r node=$1
    local labels=()
    [ -z "${LAB_LABEL[$node]}" ] || labels=(--label "${LAB_LABEL[$node]}")
    rm -f /run/docker/docker.pid
    exec taskset -c "$(share "$node")" dockerd --data-root "$LAB_DATA/$node/docker" --pidfile /run/docker/docker.pid \
        -H "$(url "$node")" --tls=false --bip "$(gateway "$node")/24" --ip-masq=false "${labels[@]}" \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/zoe-lab/$node" --storage-driver overlay2 \
        --insecure-registry "$LAB_NET.0.0/24" --max-concurrent-downloads 6 --log-level warn
}

main() {
    local -r node=$1
    cd /
    hostname "$node"
    own_directories "$node"
    memory $((LAB_GIB["$node"] * 1024 * 1024)) >/run/docker/meminfo
    mount --bind /run/docker/meminfo /proc/meminfo
    network "$node"
    while :; do
        engine "$node" &
        wait $! || true
        # One that can't start shall not fill the machine.
        sleep 0.5
    done
}

main "$@"
