# For bench/faults, bench/latency and bench/pace, which start all of Atelier by
# t/helper/: copies what was built to a short folder of its own, which goes in
# the end, and names it as the tests have it.  Sourced in the top folder.

build=build/release
whole=$(mktemp -d "${TMPDIR:-/tmp}/atelier-bench-XXXXXX")
chmod 755 "$whole"
trap 'rm -rf "$whole"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

make -s --no-print-directory BUILD=release module sandbox workers > /dev/null
for file in ngx_http_atelier_module.so atelier-{sandbox,relay,prices,shop}; do
    cp "$build/$file" "$whole/"
done

TEST_NGINX_BINARY=$(readlink -f "$build/nginx")
export TEST_NGINX_BINARY
export TEST_NGINX_LOAD_MODULES=$whole/ngx_http_atelier_module.so
export ATELIER_SANDBOX=$whole/atelier-sandbox
export ATELIER_RELAY=$whole/atelier-relay
export ATELIER_PRICES=$whole/atelier-prices
export ATELIER_SHOP=$whole/atelier-shop
ulimit -n 8192 2> /dev/null || true

# The real-time scheduler, for what other programs must not show in.
whole_fifo=
if [ "${BENCH_FIFO:-1}" != 0 ] && chrt -f 1 true 2> /dev/null; then
    whole_fifo=1
fi

# whole_load WHAT: says so.
whole_load() {
    local turn='among other programs'
    [ -z "$whole_fifo" ] || turn="$1 before other programs"
    echo "$(nproc) CPUs, load $(cut -d ' ' -f 1 /proc/loadavg); $turn"
}
