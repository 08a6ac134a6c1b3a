#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Samples tell what lives of blocks that realloc() left in their place, shrank or moved: a sample that is
# resized stands for the others that were.
set -uo pipefail

# shellcheck source=test/support/_profiled.sh
. "${VMALLOC_SOURCE:?}/test/support/_profiled.sh"

cat >"$work/resized.c" <<'END_OF_C'
#include <stdlib.h>

static char *volatile kept[100000];

int main(int argc, char **argv)
{
    int n = atoi(argv[1]);
    for (int i = 0; i < n; i++)
        kept[i] = malloc((size_t)atoi(argv[2]));
    for (int k = 3; k < argc; k++)
        for (int i = 0; i < n; i++)
            if ((kept[i] = realloc(kept[i], (size_t)atoi(argv[k]))) == NULL)
                return 1;
    return 0;
}
END_OF_C
"${CC:-cc}" -g -O1 -o "$work/resized" "$work/resized.c" 2>"$work/err" || { cat "$work/err"; exit 77; }

failed=0
# A thousand samples or more: a standard error is 3 %.
while read -r period n last sizes; do
    # shellcheck disable=SC2086
    LD_PRELOAD="$library" VMPROFILE="$work/profile,sample=$period,seed=5" "$work/resized" "$n" $sizes ||
        { echo "FAILED: the program: $?"; failed=1; continue; }
    live=$("$command" report --json "$work/profile" | grep -o '"livebytes":[0-9]*' | head -n 1 | cut -d: -f2)
    if [ "${live:-0}" -lt $((last * n / 100 * 80)) ] || [ "$live" -gt $((last * n / 100 * 120)) ]; then
        echo "FAILED: malloc and realloc of $sizes: ${live:-nothing} of some $((last * n)) bytes live"
        failed=1
    fi
done <<'END'
8192 100000 100 100
8192 100000 104 100 104
8192 100000 111 100 101 102 103 104 105 106 107 108 109 110 111
8192 100000 65 100 65
8192 100000 130 200 150 130
8192 100000 200 100 200
8192 100000 40 100 40
131072 4000 40500 40000 40500
END
exit "$failed"
