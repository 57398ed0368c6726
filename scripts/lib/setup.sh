# Pieces that scripts/quickstart and scripts/test share. Sourced, not run; needs `set -euo pipefail`.
# shellcheck shell=bash

# Says what is being done now.
step() {
    printf '\n==> %s\n' "$*" >&2
}

# Ends with a sentence: what is wrong, and what to do.
fail() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null || fail "this needs root for '$1', and there is no sudo; run it as root"
        sudo "$@"
    fi
}

# Installs the Debian packages among the arguments that are missing.
packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || fail "these packages are missing and there is no apt-get to install them: ${missing[*]}"
    step "installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq || fail "the package lists could not be fetched; see what apt-get said above"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install: ${missing[*]}; see what it said above"
}

# Whether a Docker Engine answers. The daemon is asked directly, as the docker CLI may be missing or point elsewhere.
docker_answers() {
    curl -fsS --max-time 5 --unix-socket /var/run/docker.sock http://localhost/_ping >/dev/null 2>&1
}

# Ends if an Engine listens but this user may not talk to it.
docker_permission() {
    if [ -S /var/run/docker.sock ] && ! [ -w /var/run/docker.sock ]; then
        fail "you may not use /var/run/docker.sock; add yourself to its group (sudo usermod -aG docker \"\$USER\"), log in again, and run this once more"
    fi
}

# Makes sure that a Docker Engine answers at the local socket: installs it, starts it where nothing does.
docker_engine() {
    if docker_answers; then
        return
    fi
    command -v dockerd >/dev/null || packages docker.io
    packages iptables
    local log="journalctl -u docker" tries
    if [ -d /run/systemd/system ]; then
        step "starting the Docker Engine with systemd"
        as_root systemctl start docker || fail "systemd could not start docker; see: $log"
    elif ! as_root curl -fsS --max-time 5 --unix-socket /var/run/docker.sock http://localhost/_ping >/dev/null 2>&1; then
        log="${XDG_STATE_HOME:-$HOME/.local/state}/zoe/dockerd.log"
        step "starting the Docker Engine; it writes to $log"
        mkdir -p "$(dirname "$log")"
        # A dockerd that was killed leaves its number behind, and the next one refuses to start where that number is in use again.
        local file
        for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
            case $(cat "/proc/$(as_root cat "$file" 2>/dev/null || echo none)/comm" 2>/dev/null || true) in
                dockerd | containerd) ;;
                *) as_root rm -f "$file" ;;
            esac
        done
        local group=()
        # Whoever starts it may use it.
        [ "$(id -u)" -eq 0 ] || group=(--group "$(id -gn)")
        # In a session of its own: it outlives this script.
        as_root setsid dockerd "${group[@]}" >>"$log" 2>&1 </dev/null &
    fi
    for ((tries = 0; tries < 300; tries++)); do
        docker_answers && return
        sleep 0.2
    done
    docker_permission
    fail "the Docker Engine did not answer within a minute; see $log"
}

# Makes sure that there is a Rust toolchain.
rust() {
    # shellcheck disable=SC1091
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    command -v cargo >/dev/null || fail "there is no Rust toolchain; install one from https://rustup.rs and run this once more"
    command -v cc >/dev/null || packages gcc libc6-dev
}

# Builds zoe's images with the zoe given; unchanged ones come from Docker's cache.
images() {
    local zoe=$1
    packages debootstrap ca-certificates
    local arguments=()
    [ -n "${ZOE_EXTRA_CA:-}" ] && arguments=(--extra-ca "$ZOE_EXTRA_CA")
    "$zoe" images build "${arguments[@]}" || fail "the images could not be built; see what zoe said above"
}

# Reads --extra-ca FILE, for both scripts; leaves other arguments in REST.
arguments() {
    REST=()
    while [ $# -gt 0 ]; do
        case $1 in
            --extra-ca)
                [ $# -ge 2 ] || fail "--extra-ca wants a file"
                [ -r "$2" ] || fail "the CA file '$2' cannot be read"
                ZOE_EXTRA_CA=$(realpath "$2")
                shift
                ;;
            --)
                shift
                REST+=("$@")
                return
                ;;
            *) REST+=("$1") ;;
        esac
        shift
    done
    if [ -n "${ZOE_EXTRA_CA:-}" ]; then
        export ZOE_EXTRA_CA
        # What this script itself fetches goes through the same proxy.
        local bundle
        bundle=$(mktemp)
        cat /etc/ssl/certs/ca-certificates.crt "$ZOE_EXTRA_CA" >"$bundle" 2>/dev/null || true
        export SSL_CERT_FILE=$bundle CARGO_HTTP_CAINFO=$bundle PIP_CERT=$bundle
    fi
}
