# shellcheck shell=bash
#
# Where the stack keeps its files and what it writes there before a start.
# Sourced by scripts/stack.
#
# $state   all of it, across starts; see below for where
# $sockets the Unix sockets: $state/run, or a short folder below /tmp when
#          that is too long for a socket's path (107 bytes) or not plain
# $as      words in front of a command that make it run as the service user
#
# As root, services run as www-data, who cannot enter a home of mode 0700.
# Then, and when the name of this folder holds what nginx's configuration
# cannot quote, $state is in /var/tmp; else it is run/ in this folder.  It
# belongs to the user who starts the stack; only data folders belong to the
# service user, so that nothing root writes to can be swapped by a service.

providers=(groq stability replicate huggingface)
sources=(pexels unsplash pixabay flickr wikimedia rawpixel openverse)

# The address of $1's real service, if it has only one.
real_host() {
    case $1 in
        stability) echo api.stability.ai ;;
        pexels) echo api.pexels.com ;;
        unsplash) echo api.unsplash.com ;;
        pixabay) echo pixabay.com ;;
        flickr) echo api.flickr.com ;;
        wikimedia) echo commons.wikimedia.org ;;
        openverse) echo api.openverse.org ;;
    esac
}

# The file that makes $1 real: its key, or, for those that ask for none, whom
# they may write to.  None for rawpixel, whose interface is not documented.
real_if() {
    case $1 in
        wikimedia | openverse) echo keys/contact ;;
        rawpixel) ;;
        *) echo "keys/$1" ;;
    esac
}

locate_state() {
    local here name uid
    here=$(pwd -P)
    uid=$(id -u)
    as=()
    service=$(id -un)
    state=$here/run

    if [ "$uid" -eq 0 ]; then
        service=www-data
        id "$service" > /dev/null 2>&1 ||
            die "there is no user www-data to run the services as"
        as=(setpriv --reuid="$service" --regid="$service" --init-groups)
    fi

    case $uid:$here in
        0:* | *[\"\\\$*?[]* | *[[:cntrl:]]*)
            name=$(printf '%s %s' "$uid" "$here" | sha256sum)
            state=/var/tmp/atelier-${name:0:12}
            ;;
    esac

    if [ -e "$state" ] || [ -L "$state" ]; then
        [ -d "$state" ] && [ ! -L "$state" ] && [ -O "$state" ] ||
            die "$state is not a folder of this user: remove it"
    fi
}

# The folder of the sockets as recorded, empty if there is none.
locate_sockets() {
    sockets=
    [ ! -f "$state/sockets" ] || sockets=$(< "$state/sockets")
    if [ -n "$sockets" ] &&
       { [ ! -d "$sockets" ] || [ -L "$sockets" ]; }
    then
        sockets=
    fi
}

give() {
    [ ${#as[@]} -eq 0 ] || chown "$service:" "$@"
}

make_state() {
    local dir
    if [ ${#as[@]} -gt 0 ]; then
        chown "root:$(id -gn "$service")" "$state"
        chmod 0750 "$state"
    fi
    (
        umask 022
        mkdir -p "$state"/{logs,pids,bin}
    )
    mkdir -p -m 0700 "$state"/{keys,redis,generated,temp}
    give "$state"/{redis,generated,temp}
    : > "$state/.atelier"

    locate_sockets
    if [ -z "$sockets" ]; then
        sockets=$state/run
        # PostgreSQL's name is the longest of those in it.
        dir=$sockets/.s.PGSQL.5432.lock
        case $dir in
            *[!A-Za-z0-9/._-]*) sockets= ;;
        esac
        if [ -z "$sockets" ] || [ "$(printf %s "$dir" | wc -c)" -gt 100 ]; then
            sockets=$(mktemp -d /tmp/atelier-XXXXXX)
        fi
        mkdir -p -m 0700 "$sockets"
        give "$sockets"
        printf '%s\n' "$sockets" > "$state/sockets"
    fi
}

# Copies folder $1 to $2 readable for the service user.
publish() {
    rm -rf "$2"
    (
        umask 022
        cp -R "$1" "$2"
        chmod -R u=rwX,go=rX "$2"
    )
}

# Replaces file $1 by standard input, mode $2.
write_file() {
    local tmp
    tmp=$(mktemp "$1.XXXXXX")
    cat > "$tmp"
    chmod "$2" "$tmp"
    mv -f "$tmp" "$1"
}

# Sets line to the one line of file $1; fails without that file.
read_line() {
    line=
    [ -f "$1" ] || return 1
    [ -r "$1" ] || die "$1 cannot be read by $(id -un)"
    read -r line < "$1" || true
    line=${line%$'\r'}
    [[ $line =~ ^[[:graph:]]+$ ]] ||
        die "$1 must hold one line of one word; to do without, remove it"
}

# Sets file, key, server, base and host of $1, a provider or a source, and
# talks_to for the user.
choose_service() {
    local name=$1 line
    file=$(real_if "$name")
    key=sk-sandbox-$name
    server=127.0.0.1:$sandbox_port
    base=http://atelier_$name/$name
    host=$server
    talks_to="the sandbox"

    if [ -z "$file" ] || ! read_line "$file"; then
        return 0
    fi
    if [ "$file" != keys/contact ] && [[ $(stat -c %a "$file") != *00 ]]; then
        say "$file can be read by others: chmod 600 $file"
    fi
    key=$line

    host=$(real_host "$name")
    if [ -z "$host" ]; then
        if ! read_line "keys/$name.url"; then
            die "keys/$name is there, but not the address it is for: put" \
                "https://host into keys/$name.url"
        fi
        [[ $line =~ ^https://([A-Za-z0-9.-]+(:[0-9]+)?)/?$ ]] ||
            die "keys/$name.url must be https://host, not \"$line\""
        host=${BASH_REMATCH[1]}
    fi
    server=$host
    [[ $host == *:* ]] || server=$host:443
    base=https://atelier_$name
    talks_to=$host
}

write_services() {
    local name file key server base host talks_to line contact text
    local to_sandbox='s,/provider_location,/sandbox_location,' plain=()
    contact=nobody@localhost
    if read_line keys/contact; then
        contact=$line
        [[ $contact =~ ^[A-Za-z0-9@:/._+~-]+$ ]] ||
            die "keys/contact must be an address or a URL, not \"$contact\""
    fi
    text="map \"\" \$atelier_contact { default $contact; }"$'\n'
    services_said=()
    for name in "${providers[@]}" "${sources[@]}"; do
        choose_service "$name"
        text+="upstream atelier_$name { server $server; keepalive 8; }"$'\n'
        text+="map \"\" \$atelier_${name}_base { default $base; }"$'\n'
        text+="map \"\" \$atelier_${name}_host { default $host; }"$'\n'
        [ "$file" != "keys/$name" ] ||
            printf '%s\n' "$key" | write_file "$state/keys/$name" 0600
        services_said+=("$(printf '%-12s %s' "$name" "$talks_to")")
        [[ $base == https://* ]] || plain+=(-e
            "/^location .*_\\(ai\\|feed\\)\\/$name[ /]/,/^}/ $to_sandbox")
    done
    text+="map \"\" \$atelier_more_images { default"
    text+=" \"http://127.0.0.1:$sandbox_port http://*.localhost:$sandbox_port\"; }"
    printf '%s\n' "$text" | write_file "$state/endpoints.conf" 0644
    write_locations "${plain[@]}"
}

# Locations of the sandbox are asked without TLS.  nginx before 1.23.1 reads the
# certificates of all authorities anew for each location that verifies, which
# takes a tenth of a second every time.  "$@": for sed, says which they are.
write_locations() {
    grep -v '^proxy_ssl' conf/provider_location.conf |
        write_file "$state/atelier/sandbox_location.conf" 0644
    sed -e '' "$@" conf/providers.conf |
        write_file "$state/atelier/providers.conf" 0644
}

write_nginx_conf() {
    local text user_line=
    [ ${#as[@]} -eq 0 ] || user_line="user $service;"

    text=$(< conf/run.conf.in)
    text=${text//@PORT@/"$PORT"}
    text=${text//@SANDBOX_PORT@/"$sandbox_port"}
    text=${text//@MODULE@/"$state/ngx_http_atelier_module.so"}
    text=${text//@CONF@/"$state/atelier"}
    text=${text//@WEB@/"$state/web"}
    text=${text//@SOCKETS@/"$sockets"}
    text=${text//@STATE@/"$state"}
    text=${text//@USER_LINE@/"$user_line"}
    printf '%s\n' "$text" | write_file "$state/nginx.conf" 0644
}

write_redis_conf() {
    write_file "$state/redis.conf" 0644 << END
port 0
unixsocket "$sockets/redis.sock"
unixsocketperm 700
dir "$state/redis"
appendonly yes
save ""
daemonize no
END
}

# Thumbnails come from the sandbox, which is no public address.
write_feed_conf() {
    write_file "$state/feed.conf" 0644 << END
[worker]
listen = unix:$sockets/feed.sock

[redis]
address = unix:$sockets/redis.sock

[postgres]
conninfo = host=$sockets dbname=atelier

[egress]
socket = $sockets/egress.sock

[hash]
user_agent = Atelier/0.1 (a stack for development)
allow_address = 127.0.0.1:$sandbox_port
END
}

write_queue_conf() {
    write_file "$state/queue.conf" 0644 << END
[worker]
listen = unix:$sockets/queue.sock

[redis]
address = unix:$sockets/redis.sock

[postgres]
conninfo = host=$sockets dbname=atelier

[egress]
socket = $sockets/egress.sock
END
}

# The shops are the sandbox's, each on a host of its own.
write_shop_conf() {
    scripts/sandbox-recipes "$state/retailers" "$sandbox_port"
    chmod 755 "$state/retailers"
    write_file "$state/shop.conf" 0644 << END
[worker]
listen = unix:$sockets/shop.sock

[redis]
address = unix:$sockets/redis.sock

[postgres]
conninfo = host=$sockets dbname=atelier

[shops]
recipes = $state/retailers

[fetch]
agent = Atelier/0.1 (a stack for development)
allow_address = 127.0.0.1:$sandbox_port

[search]
query = sofa | sofas
query = chair | chairs
query = lamp | lamps
query = coffee table | coffee-tables
END
}

# Some of the sandbox's prices move by the minute.
write_prices_conf() {
    write_file "$state/prices.conf" 0644 << END
[worker]
listen = unix:$sockets/prices.sock

[redis]
address = unix:$sockets/redis.sock

[postgres]
conninfo = host=$sockets dbname=atelier

[shops]
recipes = $state/retailers

[fetch]
agent = Atelier/0.1 (a stack for development)
allow_address = 127.0.0.1:$sandbox_port
wall_first = 1m

[looks]
change = 3h
usual = 15m
least = 30s
watched = 5s
doubt = 5s
END
}

write_relay_conf() {
    write_file "$state/relay.conf" 0644 << END
[worker]
listen = unix:$sockets/relay.sock

[redis]
address = unix:$sockets/redis.sock

[postgres]
conninfo = host=$sockets dbname=atelier
END
}

# The token of operators stays the same from start to start.
write_token() {
    local file=$state/keys/operators
    [ ! -s "$file" ] || return 0
    od -An -v -N 32 -t x1 /dev/urandom | tr -d ' \n' | write_file "$file" 0600
}

# All that is derived from this folder.  Copies, because a build must not
# change what runs, and the service user need not be able to read here.
write_files() {
    local name
    [ -f conf/run.conf.in ] || die "conf/run.conf.in is missing"
    (
        umask 022
        cp "$MODULE" "$state/ngx_http_atelier_module.so"
        cp "$SANDBOX" "$state/bin/atelier-sandbox"
        for name in $WORKERS; do
            cp "$OUT/atelier-$name" "$state/bin/atelier-$name"
        done
        chmod 755 "$state/bin"/atelier-*
    )
    publish conf "$state/atelier"
    rm -rf "$state/web"
    publish web/out "$state/web"
    write_file "$state/csp.conf" 0644 < web/csp.conf
    write_services
    write_token
    write_nginx_conf
    write_redis_conf
    write_feed_conf
    write_queue_conf
    write_shop_conf
    write_prices_conf
    write_relay_conf
}
