# The lab as a whole: up, down, its state, and what can happen to a node. Sourced by scripts/lab.
# shellcheck shell=bash

# Directories of the machine that a node has its own of; they must be there to be covered.
readonly LAB_COVERED=(/run/docker /run/containerd /etc/docker)

# A command that is to meet this machine's own Engine, even where the shell has been pointed at the lab.
own() {
    case ${DOCKER_HOST:-} in
        "tcp://$LAB_NET.0.1"*) env -u DOCKER_HOST "$@" ;;
        *) "$@" ;;
    esac
}

own_docker() { own docker "$@"; }

needs() {
    local program
    for program in dockerd=docker.io docker=docker.io iptables=iptables ip=iproute2 curl=curl docker-registry=docker-registry; do
        command -v "${program%=*}" >/dev/null || packages "${program#*=}"
    done
}

# What is missing, a word each; nothing where all is well.
missing() {
    local node rows
    [ -e "$LAB_STATE/settings" ] || echo everything
    rows=$(members || true)
    for node in "${LAB_NODES[@]}"; do
        if ! is_on "$node"; then
            echo "$node:off"
        elif is_cut "$node"; then
            echo "$node:cut"
        elif ! answers "$node"; then
            echo "$node:engine"
        elif [ "$(membership "$node")" != active ] || ! grep -q "^$node Ready Active" <<<"$rows"; then
            echo "$node:swarm"
        elif [ -n "${LAB_LABEL[$node]}" ] && [[ $(labels_of "$node") != *"${LAB_LABEL[$node]/=/:}"* ]]; then
            echo "$node:label"
        fi
    done
    registry_answers "$LAB_REGISTRY" && registry_answers "$LAB_PUSH" || echo registry
}

up() {
    local lacks built begun=$SECONDS
    needs
    lock
    # Taking it down was begun and not ended.
    if [ -e "$LAB_DATA/going" ]; then
        clear_away
        lock
    fi
    lacks=$(missing)
    if [ -z "$lacks" ]; then
        echo "the lab is up"
        return
    fi
    case $lacks in
        everything*) ;;
        *) echo "repairing the lab: ${lacks//$'\n'/ }" ;;
    esac
    # Not `if ! (build)`: that would let it go on after what fails in it.
    set +e
    (set -e && build)
    built=$?
    set -e
    if [ "$built" -ne 0 ]; then
        echo "building the lab anew"
        clear_away
        lock
        build
    fi
    echo "the lab is up, $((SECONDS - begun)) s"
}

# Brings up whatever is not.
build() {
    local directory node
    mkdir -p "$LAB_STATE" "$LAB_DATA"
    for directory in "${LAB_COVERED[@]}"; do
        [ -d "$directory" ] || echo "$directory" >>"$LAB_STATE/made"
        mkdir -p "$directory"
    done
    printf 'LAB_DATA=%q\nLAB_NET=%q\n' "$LAB_DATA" "$LAB_NET" >"$LAB_STATE/settings.new"
    mv "$LAB_STATE/settings.new" "$LAB_STATE/settings"
    # Held by tests: shared, or alone by those that disturb nodes.
    touch "$LAB_STATE/use"
    chmod 0666 "$LAB_STATE/use"
    bridge_up
    registry_up
    local each=()
    for node in "${LAB_NODES[@]}"; do
        repair_node "$node" &
        each+=($!)
    done
    for node in "${each[@]}"; do wait "$node" || exit 1; done
    swarm_up
    await 60 "the nodes do not become ready; the manager says: $(members || true)" all_ready
    label_nodes
}

down() {
    if [ -e "$LAB_STATE" ] || [ -e "$LAB_DATA/going" ]; then
        lock
        if [ "${1:-}" != --force ] && [ -e "$LAB_STATE/use" ]; then
            exec 8<"$LAB_STATE/use"
            flock --nonblock 8 || fail "a test is using the lab; wait for it, or: scripts/lab down --force"
        fi
    fi
    # Also where there should be nothing: what was killed half-way may have left anything.
    clear_away
    echo "the lab is gone"
}

# Takes away all that may be there of a lab, whatever state it is in.
clear_away() {
    local node directory
    mkdir -p "$LAB_DATA"
    touch "$LAB_DATA/going"
    for node in "${LAB_NODES[@]}"; do
        switch_off "$node" &
    done
    wait
    registry_down
    bridge_down
    find /sys/fs/cgroup -depth -type d -path '*/zoe-lab*' -exec rmdir {} + 2>/dev/null || true
    if [ -r "$LAB_STATE/made" ]; then
        while read -r directory; do
            rmdir --ignore-fail-on-non-empty "$directory" 2>/dev/null || true
        done <"$LAB_STATE/made"
    fi
    # The mark goes last: whoever finds it has to begin again.
    for node in "${LAB_NODES[@]}" registry going; do
        rm -rf "${LAB_DATA:?}/$node"
    done
    rmdir --ignore-fail-on-non-empty "$LAB_DATA"
    rm -rf "$LAB_STATE"
}

lab_kill() {
    switch_off "$1"
    echo "$1 is lost"
}

lab_cut() {
    is_on "$1" || fail "$1 is off; scripts/lab heal $1"
    ip link set "$(port "$1")" down
    echo "$1 is cut off"
}

lab_heal() {
    repair_node "$1"
    await 90 "$1 does not become ready; the manager says: $(members || true)" all_ready
    echo "$1 is ready"
}

lab_restart() {
    restart_engine "$1"
    await 90 "$1 does not become ready; the manager says: $(members || true)" all_ready
    echo "$1 is ready"
}

environment() {
    local node nodes=()
    for node in "${LAB_NODES[@]}"; do nodes+=("$node=$(address "$node")"); done
    printf "export %s='%s'\n" DOCKER_HOST "$(url "$LAB_MANAGER")" ZOE_LAB_REGISTRY "$LAB_REGISTRY" ZOE_LAB_PUSH "$LAB_PUSH" ZOE_LAB_NODES "${nodes[*]}"
}

status() {
    local lacks node rows state
    lacks=$(missing)
    if [ "${1:-}" = -q ]; then
        [ -z "$lacks" ]
        return
    fi
    rows=$(members || true)
    printf '%-5s %-13s %4s %6s  %-9s %s\n' NODE ADDRESS CPUS MEMORY LABELS STATE
    for node in "${LAB_NODES[@]}"; do
        state=$(sed -n "s/^$node //p" <<<"$rows")
        case " ${lacks//$'\n'/ } " in
            *" $node:off "*) state=off ;;
            *" $node:cut "*) state="cut off" ;;
            *" $node:engine "*) state="no Engine" ;;
        esac
        printf '%-5s %-13s %4s %6s  %-9s %s\n' "$node" "$(address "$node")" "${LAB_CPUS[$node]}" "${LAB_GIB[$node]} GiB" "${LAB_LABEL[$node]:--}" "${state:-unknown}"
    done
    printf '\nregistry %s (from here: %s)\n' "$LAB_REGISTRY" "$LAB_PUSH"
    registry_content | sed 's/^/  /'
    [ -z "$lacks" ]
}
