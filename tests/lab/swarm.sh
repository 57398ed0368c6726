# The Swarm that the nodes make. Sourced by scripts/lab.
# shellcheck shell=bash

# What a node itself says: active, pending, inactive, locked or error; nothing where its Engine doesn't answer.
membership() {
    curl -fsS --noproxy '*' --max-time 5 "http://$(address "$1"):2375/info" 2>/dev/null |
        sed -n 's/.*"LocalNodeState":"\([a-z]*\)".*/\1/p'
}

# Rows of the manager: hostname, status, availability, the manager's status.
members() { answers "$LAB_MANAGER" && at "$LAB_MANAGER" node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}' 2>/dev/null; }

swarm_up() {
    local node state new=''
    local -r manager=$(address "$LAB_MANAGER")
    state=$(membership "$LAB_MANAGER")
    case $state in
        active | pending | locked) ;;
        *)
            at "$LAB_MANAGER" swarm init --advertise-addr "$manager" --listen-addr "$manager" \
                --default-addr-pool "$LAB_OVERLAYS" --default-addr-pool-mask-length 24 >/dev/null
            new=new
            ;;
    esac
    await 60 "$LAB_MANAGER does not become a Swarm's manager" members >/dev/null
    for node in "${LAB_NODES[@]:1}"; do
        join "$node" "$new" &
    done
    wait
}

# Makes a node a member, unless it is; of a new Swarm it is none yet, whatever it says.
join() {
    local -r node=$1
    case $(membership "$node")$2 in
        active | pending) return 0 ;;
        inactive*) ;;
        *) at "$node" swarm leave --force >/dev/null 2>&1 || true ;;
    esac
    # One of that name that was there before.
    at "$LAB_MANAGER" node rm --force "$node" >/dev/null 2>&1 || true
    at "$node" swarm join --token "$(at "$LAB_MANAGER" swarm join-token --quiet worker)" \
        --advertise-addr "$(address "$node")" --listen-addr "$(address "$node")" "$(address "$LAB_MANAGER"):2377" >/dev/null
}

# The node's labels in the Swarm, as Go prints a map.
labels_of() { at "$LAB_MANAGER" node inspect "$1" --format '{{.Spec.Labels}}' 2>/dev/null; }

label_nodes() {
    local node
    for node in "${LAB_NODES[@]}"; do
        local labels=()
        [ -z "${LAB_LABEL[$node]}" ] || labels=(--label-add "${LAB_LABEL[$node]}")
        at "$LAB_MANAGER" node update --availability active "${labels[@]}" "$node" >/dev/null
    done
}

# Whether the node is a member in its own eyes and in the manager's.
ready() {
    [ "$(membership "$1")" = active ] && members | grep -q "^$1 Ready "
}

# Whether all nodes that are on and connected are.
all_ready() {
    local node
    for node in "${LAB_NODES[@]}"; do
        if is_on "$node" && ! is_cut "$node"; then
            ready "$node" || return 1
        fi
    done
}
