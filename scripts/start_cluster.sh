#!/usr/bin/env bash
# A Spark cluster with the docker CLI alone, out of zoe's images: what zoe does, by hand. It needs `zoe images build` (or
# a docker build of images/) to have been run once.
#
#   scripts/start_cluster.sh [--workers N] [--worker-cores C] [--worker-memory MIB] [--cpus LIMIT]
#   scripts/start_cluster.sh --stop
#
# Everything is called zoe-manual-…; --stop removes it all.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/setup.sh

readonly name=zoe-manual
readonly registry=${ZOE_REGISTRY:+$ZOE_REGISTRY/}
workers=2 worker_cores=1 worker_memory=1024 cpus=0.5

# What a container may use: its software's memory, and Spark's overhead, a tenth of it or 384 MiB.
limit() {
    echo $(($1 + ($1 / 10 > 384 ? $1 / 10 : 384)))m
}

# create ROLE NAME MEMORY OPTION...: a container of the cluster, not started yet.
create() {
    local -r role=$1 host=$2 memory=$3
    shift 3
    docker create --name "$name-$host" --network "$name" --network-alias "$host" \
        --cpus "$cpus" --memory "$(limit "$memory")" --memory-swap "$(limit "$memory")" \
        --volume "$name-secrets:/run/secrets" --env SPARK_MASTER_IP=master "$@" \
        "${registry}zoe/spark-$role:latest" >/dev/null ||
        fail "the container $name-$host could not be made; see above"
}

stop() {
    local containers
    containers=$(docker ps --all --quiet --filter "name=^$name-")
    # shellcheck disable=SC2086
    [ -z "$containers" ] || docker rm --force --volumes $containers >/dev/null
    docker network inspect "$name" >/dev/null 2>&1 && docker network rm "$name" >/dev/null
    docker volume inspect "$name-secrets" >/dev/null 2>&1 && docker volume rm "$name-secrets" >/dev/null
    return 0
}

# A random secret that all members share, as a file: it is on no command line and in no environment.
make_secret() {
    local directory
    directory=$(mktemp -d)
    head -c 32 /dev/urandom | base64 -w0 >"$directory/auth"
    tar -C "$directory" --mode 0444 --owner 0 --group 0 -c auth | docker cp - "$name-master:/run/secrets/"
    rm -r "$directory"
}

# Asks the master itself, until it knows all workers.
wait_for_workers() {
    local -r url=$1
    local alive tries
    for ((tries = 0; tries < 600; tries++)); do
        alive=$(curl -fsS --max-time 2 "$url/json/" 2>/dev/null | sed -n 's/.*"aliveworkers" : \([0-9]*\).*/\1/p') || alive=0
        [ "${alive:-0}" -lt "$workers" ] || return 0
        sleep 0.2
    done
    fail "only ${alive:-0} of $workers workers registered within two minutes; see: docker logs $name-worker-0"
}

while [ $# -gt 0 ]; do
    case $1 in
        --stop)
            step "removing what $0 started"
            stop
            exit
            ;;
        --workers | --worker-cores | --worker-memory | --cpus)
            [ $# -ge 2 ] || fail "$1 wants a number"
            variable=${1#--}
            [[ $2 =~ ^[0-9]+$ || ($1 == --cpus && $2 =~ ^[0-9.]+$) ]] || fail "$1 wants a number, not '$2'"
            printf -v "${variable//-/_}" %s "$2"
            shift
            ;;
        *) fail "unknown argument '$1'; see the first lines of $0" ;;
    esac
    shift
done

command -v docker >/dev/null || fail "there is no docker command; install the Debian package docker.io"
docker info >/dev/null 2>&1 || fail "no Docker Engine answers; start it (scripts/quickstart does)"
docker image inspect "${registry}zoe/spark-master:latest" >/dev/null 2>&1 ||
    fail "there is no image zoe/spark-master; run: zoe images build"
[ -z "$(docker ps --all --quiet --filter "name=^$name-")" ] || fail "a cluster is there already; run: $0 --stop"

step "making a network, a master and $workers workers"
trap 'stop' ERR
docker network create "$name" >/dev/null
docker volume create "$name-secrets" >/dev/null
create master master 512 --publish 127.0.0.1::8080
make_secret
members=("$name-master")
for ((index = 0; index < workers; index++)); do
    create worker "worker-$index" "$worker_memory" \
        --env "SPARK_WORKER_RAM=${worker_memory}m" --env "SPARK_WORKER_CORES=$worker_cores"
    members+=("$name-worker-$index")
done

step "starting them"
docker start "${members[@]}" >/dev/null
url=http://$(docker port "$name-master" 8080)
wait_for_workers "$url"
trap - ERR

address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$name-master")
echo "spark://$address:7077"
echo "$url"
cat >&2 <<TEXT

A job on it, its files in the current directory:

    docker run --rm --network $name --volumes-from $name-master:ro --volume "\$PWD:/opt/zoe/job:ro" \\
        --env SPARK_MASTER_IP=master --env SPARK_EXECUTOR_RAM=${worker_memory}m ${registry}zoe/spark-submit /opt/zoe/job/pi.py

Remove it all: $0 --stop
TEXT
