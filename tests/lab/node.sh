# Machines that are made of namespaces: switched on and off, cut from the net, and asked. Sourced by scripts/lab.
# shellcheck shell=bash

# The end of a node's cable at this machine's bridge.
port() { echo "zoe-lab-$1"; }

# The node's first process; nothing where it is off.
machine() {
    local pid child
    for pid in $(processes "zoe-lab-$1"); do
        child=''
        read -r child _ <"/proc/$pid/task/$pid/children" || true
        [ -z "$child" ] || echo "$child"
    done
}

is_on() { [ -n "$(machine "$1")" ]; }

is_cut() { ! ip link show "$(port "$1")" 2>/dev/null | head -n 1 | grep -q '[<,]UP[,>]'; }

answers() {
    curl -fsS --noproxy '*' --max-time "${2:-2}" "http://$(address "$1"):2375/_ping" >/dev/null 2>&1
}

# The docker CLI, at a node's Engine.
at() {
    local -r node=$1
    shift
    docker -H "$(url "$node")" "$@"
}

switch_on() {
    local -r node=$1
    local init
    mkdir -p "$LAB_DATA/$node/etc" "$LAB_DATA/$node/docker"
    background "zoe-lab-$node" unshare --net --mount --uts --ipc --pid --fork --kill-child --mount-proc \
        bash "$LAB_CODE/boot.sh" "$node"
    await 10 "the node $node has no first process; see $LAB_STATE/zoe-lab-$node.log" is_on "$node"
    init=$(machine "$node")
    ip link delete "$(port "$node")" 2>/dev/null || true
    ip link add "$(port "$node")" type veth peer name eth0 address "$(mac "$node")" netns "$init"
    ip link set "$(port "$node")" master "$LAB_BRIDGE" up
}

# As in a power cut: nothing on it is asked to end.
switch_off() {
    local -r node=$1
    local pid
    # Killing the first process kills all that it is the first of.
    for pid in $(machine "$node") $(processes "zoe-lab-$node"); do end "$pid"; done
    ip link delete "$(port "$node")" 2>/dev/null || true
}

# Whatever was done to a node, undone. The Engine's answer is waited for, the Swarm's not.
repair_node() {
    local -r node=$1
    if is_on "$node" && ! ip link show "$(port "$node")" >/dev/null 2>&1; then
        # It was being switched on when that was interrupted.
        switch_off "$node"
    fi
    if ! is_on "$node"; then
        switch_on "$node"
    elif is_cut "$node"; then
        ip link set "$(port "$node")" up
    fi
    await 60 "the Engine of $node does not answer; see $LAB_STATE/zoe-lab-$node.log" answers "$node"
}

# The node's dockerd; nothing where there is none.
dockerd_of() {
    local init child children=()
    init=$(machine "$1")
    [ -n "$init" ] || return 0
    read -r -a children <"/proc/$init/task/$init/children" || true
    for child in "${children[@]}"; do
        [ "$(cat "/proc/$child/comm" 2>/dev/null)" = dockerd ] && echo "$child"
    done
    return 0
}

# Whether another dockerd than that one answers.
answers_anew() {
    local now
    now=$(dockerd_of "$1")
    [ -n "$now" ] && [ "$now" != "$2" ] && answers "$1"
}

restart_engine() {
    local -r node=$1
    local old
    old=$(dockerd_of "$node")
    [ -n "$old" ] || fail "the node $node has no Engine running; scripts/lab heal $node"
    kill -TERM "$old"
    await 60 "the Engine of $node did not come back; see $LAB_STATE/zoe-lab-$node.log" answers_anew "$node" "$old"
}
