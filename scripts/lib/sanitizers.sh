# shellcheck shell=bash
#
# What the scripts that run sanitized programs share.

# True if LeakSanitizer works here: it halts the process it looks at, which
# containers may forbid.  $1: compiler, $2: a folder for the trial.
leaks_are_found() {
    local rc=0
    cat > "$2/leak.c" << 'END'
#include <stdlib.h>
void *volatile p;
int
main(void)
{
    p = malloc(100);
    p = NULL;
    return 0;
}
END
    # CC may be "ccache gcc".
    # shellcheck disable=SC2086
    $1 -fsanitize=address -o "$2/leak" "$2/leak.c" > "$2/leak.log" 2>&1 ||
        return 1
    ASAN_OPTIONS=detect_leaks=1:exitcode=23 "$2/leak" \
        > "$2/leak.log" 2>&1 || rc=$?
    [ "$rc" -eq 23 ] && grep -q 'detected memory leaks' "$2/leak.log"
}
