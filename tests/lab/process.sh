# Processes and locks: found by name, ended by number, waited for by condition. Sourced by scripts/lab.
# shellcheck shell=bash

# The numbers of the processes whose first word is that name, which only this lab gives. A lab in a container on this
# machine gives it too; its processes have a second number, the one inside.
processes() {
    local directory words
    for directory in /proc/[0-9]*; do
        words=()
        mapfile -t -n 1 -d '' words 2>/dev/null <"$directory/cmdline" || continue
        [ "${words[0]:-}" = "$1" ] || continue
        if grep -qE '^NSpid:[[:space:]]*[0-9]+$' "$directory/status"; then echo "${directory#/proc/}"; fi
    done 2>/dev/null
}

# Kills a process and waits until it is gone.
end() {
    kill -KILL "$1" 2>/dev/null || true
    await 30 "the process $1 does not end" gone "$1"
}

# Whether a process is no more; one that nobody has waited for yet counts as gone.
gone() {
    local state
    state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
    [ -z "$state" ] || [ "$state" = Z ]
}

# Starts a command that outlives this script, under a name by which it is found; it holds none of the script's locks.
background() {
    local -r name=$1
    shift
    # From a subshell: it is no child that a plain `wait` would wait for.
    # shellcheck disable=SC2016
    (env -i PATH="$PATH" HOME=/root setsid bash -c 'cd / && exec -a "$0" "$@"' "$name" "$@" \
        </dev/null >>"$LAB_STATE/$name.log" 2>&1 8>&- 9>&- &)
}

# Waits up to so many seconds until a command succeeds; fails with the sentence.
await() {
    local -r until=$((SECONDS + $1)) sentence=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || fail "$sentence"
        sleep 0.1
    done
}

# Whoever changes the lab takes turns. The file goes with the lab, so one that was taken may not be the one that counts.
lock() {
    local -r file=$LAB_STATE/lock
    while :; do
        mkdir -p "$LAB_STATE"
        { exec 9>>"$file"; } 2>/dev/null || continue
        flock 9
        [ "$file" -ef "/proc/$BASHPID/fd/9" ] && return
    done
}
