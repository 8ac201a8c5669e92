# shellcheck shell=bash
#
# Processes of the stack: start, find again, stop.  Sourced by scripts/stack.
#
# Each part leads a session of its own, works in a folder below $state, and is
# recorded in $state/pids/PART as "pid, start time, boot".  A recorded pid is
# only believed while all three fit, so a stranger that got the same number is
# never taken for ours.

boot=$(< /proc/sys/kernel/random/boot_id)

# Sets p_state, p_session and p_start of process $1; fails if it is gone.
look_at() {
    local stat='' fields
    { IFS= read -r -d '' stat < "/proc/$1/stat" || [ -n "$stat" ]; } \
        2> /dev/null || return 1
    # The name in parentheses may hold anything; what follows it is plain.
    read -ra fields <<< "${stat##*) }"
    p_state=${fields[0]}
    p_session=${fields[3]}
    p_start=${fields[19]}
}

# Records process $2 as part $1.
record() {
    look_at "$2" || return 0
    printf '%s %s %s\n' "$2" "$p_start" "$boot" > "$state/pids/$1"
}

# Sets part_pid to the pid of part $1 and succeeds if that process lives.
# Without a record part_pid is empty.
alive() {
    local start recorded_boot
    part_pid=
    [ -f "$state/pids/$1" ] || return 1
    read -r part_pid start recorded_boot < "$state/pids/$1" || return 1
    [ "$recorded_boot" = "$boot" ] && look_at "$part_pid" &&
        [ "$p_start" = "$start" ] && [ "$p_state" != Z ]
}

# Prints the processes of part $1 that outlived their leader: members of its
# session that still work below $state.
orphans() {
    local pid start recorded_boot stat
    [ -f "$state/pids/$1" ] || return 0
    read -r pid start recorded_boot < "$state/pids/$1" || return 0
    [ "$recorded_boot" = "$boot" ] || return 0

    # The number belongs to somebody else by now: so does its session.
    if look_at "$pid" && [ "$p_start" != "$start" ]; then
        return 0
    fi

    for stat in /proc/[0-9]*; do
        look_at "${stat#/proc/}" || continue
        [ "$p_session" = "$pid" ] && [ "$p_state" != Z ] || continue
        case $(readlink "$stat/cwd" 2> /dev/null) in
            "$state" | "$state"/*) echo "${stat#/proc/}" ;;
        esac
    done
}

# Starts command "${@:3}" as part $1 in folder $2; sets part_pid.
launch() {
    local part=$1 folder=$2 log=$state/logs/$1.log
    shift 2

    : > "$log"

    # A shell without job control starts what it puts into the background
    # with SIGINT ignored, and this one ignores SIGPIPE.
    (
        cd "$folder"
        exec env --default-signal setsid "$@"
    ) > "$log" 2>&1 < /dev/null 7>&- 9>&- &
    part_pid=$!
    record "$part" "$part_pid"
}

# Waits up to $1 seconds until the command "${@:2}" succeeds.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

not_alive() {
    ! alive "$1"
}

no_orphans() {
    [ -z "$(orphans "$1")" ]
}

# Stops part $1: signal $2, then after $3 seconds signal $4, then SIGKILL.
stop_part() {
    local part=$1 first=$2 patience=$3 second=$4 pids

    if alive "$part"; then
        kill -s "$first" "$part_pid" 2> /dev/null || true
        if ! wait_until "$patience" not_alive "$part"; then
            kill -s "$second" "$part_pid" 2> /dev/null || true
            if ! wait_until 20 not_alive "$part"; then
                say "$part does not end: killing it"
                kill -s KILL "$part_pid" 2> /dev/null || true
                wait_until 10 not_alive "$part" || true
            fi
        fi
    fi

    # What a leader that was killed has left behind.
    if ! wait_until 2 no_orphans "$part"; then
        mapfile -t pids < <(orphans "$part")
        [ ${#pids[@]} -eq 0 ] || kill -s KILL "${pids[@]}" 2> /dev/null || true
        wait_until 10 no_orphans "$part" || true
    fi

    rm -f "$state/pids/$part"
}

# Prints who listens on TCP port $1 of this machine: "in use by", and what may
# be seen of the program.  Nothing if nobody does.
listener() {
    local hex inode fd pid
    printf -v hex '%04X' "$1"
    inode=$(awk -v port=":$hex" '
        $4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }
        ' /proc/net/tcp /proc/net/tcp6 2> /dev/null) || true
    [ -n "$inode" ] || return 0

    fd=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" -print -quit \
        2> /dev/null) || true
    pid=${fd#/proc/}
    pid=${pid%%/*}
    if [ -n "$pid" ] && [ -r "/proc/$pid/comm" ]; then
        printf 'in use by %s (pid %s)\n' "$(< "/proc/$pid/comm")" "$pid"
    else
        echo "in use by another program"
    fi
}
