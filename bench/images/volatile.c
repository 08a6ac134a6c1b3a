/* SPDX-License-Identifier: MIT */
/* The map in a plain region, for "load" alone: what is to be lost when nothing is kept. */
#include <vmalloc.h>

static Vmalloc_t *vm;
#define NEW(n) vmalloc(vm, n)
#define DROP(p) vmfree(vm, p)
#include "map.h"

static map_t *map;

static void open_it(const char *path, int durable, uint64_t n)
{
    (void)path, (void)durable, (void)n;
    vm = vmopen(Vmdcsystem, Vmbest, VM_SINGLE);
    must(vm != NULL, "vmopen");
    map = map_new();
}

static void nothing(void) {}
static void put(uint64_t key, uint64_t value) { map_put(map, key, value); }
static int get(uint64_t key, uint64_t *value) { return map_get(map, key, value); }
static void close_it(void) { must(vmclose(vm) == 0, "vmclose"); }

int main(int argc, char **argv)
{
    static const peer_t peer = {open_it, nothing, put, get, nothing, close_it};
    return work(&peer, argc, argv);
}
