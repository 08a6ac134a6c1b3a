/* SPDX-License-Identifier: MIT */
/* The map in a committed image.  Built with TELL it says where it stores in its table (vmtell()). */
#include <vmalloc.h>
#include <vmalloc/image.h>

static Vmalloc_t *vm;
#define NEW(n) vmalloc(vm, n)
#define DROP(p) vmfree(vm, p)
#ifdef TELL
#define WATCH(p, n, on) must(vmtell(vm, p, n, on) == 0, "vmtell")
#define STORED(p) vmstored(vm, p, sizeof *(p))
#endif
#include "map.h"

static map_t *map;

static void open_it(const char *path, int durable, uint64_t n)
{
    Vmimgopt_t opt;
    (void)n;
    memset(&opt, 0, sizeof opt);
    opt.vmflags = VM_SINGLE;
    opt.safety = durable ? VM_IMGPOWER : VM_IMGPROCESS;
    vm = vmimage(path, &opt);
    must(vm != NULL, opt.why);
    map = vmrootget(vm, "map", NULL);
    if (map == NULL) {
        map = map_new();
        vmrootset(vm, "map", map, 0, 1);
    }
    WATCH(map->bucket, map->size * sizeof *map->bucket, 1);
}

static void begin(void) {}
static void put(uint64_t key, uint64_t value) { map_put(map, key, value); }
static int get(uint64_t key, uint64_t *value) { return map_get(map, key, value); }
static void commit(void) { must(vmcommit(vm) == 0, "vmcommit"); }
static void close_it(void) { must(vmclose(vm) == 0, "vmclose"); }

int main(int argc, char **argv)
{
    static const peer_t peer = {open_it, begin, put, get, commit, close_it};
    return work(&peer, argc, argv);
}
