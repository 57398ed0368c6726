# The lab's names, addresses and sizes. Sourced by scripts/lab and by a node's first process.
# shellcheck shell=bash disable=SC2034 # most of these are used by who sources it

# What belongs to the running lab; gone with it.
readonly LAB_STATE=/run/zoe-lab

# Where Engines and the registry keep their data, and the first two bytes of the lab's addresses. They are chosen by who
# brings the lab up; whoever comes later takes what that one chose.
LAB_DATA=${ZOE_LAB_DIR:-/var/lib/zoe-lab}
LAB_NET=${ZOE_LAB_NET:-10.213}
# shellcheck disable=SC1091
[ -r "$LAB_STATE/settings" ] && . "$LAB_STATE/settings"

readonly LAB_BRIDGE=zoe-lab
readonly LAB_HOST=$LAB_NET.0.1
readonly LAB_REGISTRY_PORT=5055
readonly LAB_REGISTRY=$LAB_HOST:$LAB_REGISTRY_PORT
# The same registry, where an Engine on this machine may push without being told that it is insecure.
readonly LAB_PUSH=127.0.0.1:$LAB_REGISTRY_PORT
# Overlay networks: 256 of them, so that a leak shows within a test run.
readonly LAB_OVERLAYS=10.$((${LAB_NET#*.} + 1)).0.0/16

# The first is the manager.
readonly LAB_NODES=(n1 n2 n3)
readonly LAB_MANAGER=${LAB_NODES[0]}
readonly -A LAB_CPUS=([n1]=2 [n2]=2 [n3]=1)
readonly -A LAB_GIB=([n1]=6 [n2]=4 [n3]=3)
readonly -A LAB_LABEL=([n1]='' [n2]='disk=ssd' [n3]='disk=hdd')

address() { echo "$LAB_NET.0.1${1#n}"; }
url() { echo "tcp://$(address "$1"):2375"; }
# The bridge of a node's containers (its docker0): their gateway, and the whole.
gateway() { echo "$LAB_NET.1${1#n}.1"; }
subnet() { echo "$LAB_NET.1${1#n}.0/24"; }
# Fixed, so that a node that was lost and is back is found at once.
mac() { echo "02:5a:6f:65:00:1${1#n}"; }
