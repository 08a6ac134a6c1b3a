#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A module that is opened with RTLD_DEEPBIND, as PHP opens its extensions, has our malloc like everybody else;
# and the loader still finds it by the search path of the program that called.
set -uo pipefail

# shellcheck source=test/support/_linked.sh
. "${VMALLOC_SOURCE:?}/test/support/_linked.sh"

cat >module.c <<'END'
#include <stdlib.h>
#include <string.h>
char *kept;
__attribute__((constructor)) static void begin(void) { kept = strdup("kept"); }
void *give(void) { return malloc(1000); }
void take(void *p) { free(p); free(kept); }
END
cat >program.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    void *h = dlopen("libmodule.so", RTLD_NOW | RTLD_DEEPBIND), *p;
    void *(*give)(void);
    void (*take)(void *);
    if (h == NULL)
        return puts(dlerror()), 1;
    *(void **)&give = dlsym(h, "give");
    *(void **)&take = dlsym(h, "take");
    free(give());
    p = strdup("text");
    take(p);
    dlclose(h);
    h = dlopen("no/such.so", RTLD_NOW | RTLD_DEEPBIND);
    return h != NULL || strstr(dlerror(), "no/such.so") == NULL ? 2 : 0;
}
END
mkdir -p folder/lib
if ! cc -shared -fPIC -o folder/lib/libmodule.so module.c ||
    ! cc -o folder/program program.c -Wl,-rpath,"\$ORIGIN/lib" -ldl || ! folder/program; then
    echo "no compiler, or no RTLD_DEEPBIND"
    exit 77
fi
for debug in "" noleaks guard,noleaks; do
    said=$(LD_PRELOAD=$work/library.so VMDEBUG=$debug timeout 60 folder/program 2>&1)
    status=$?
    if [ $status != 0 ] || [ -n "$said" ]; then
        echo "FAILED: VMDEBUG=$debug: status $status: $said"
        failed=1
    fi
done
exit $failed
