/* SPDX-License-Identifier: MIT */
/*
 * The protocol of memoryf, asked directly: a test plays the region.
 */
#ifndef TEST_PROTOCOL_H
#define TEST_PROTOCOL_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>

/* As at the first segment: a handle without data. */
static Vmalloc_t protocol_vm;

static inline char *ask(Vmdisc_t *disc, void *addr, size_t csize, size_t nsize)
{
    protocol_vm.disc = disc;
    return disc->memoryf(&protocol_vm, addr, csize, nsize, disc);
}

static inline int tell(Vmdisc_t *disc, int type, void *obj)
{
    return disc->exceptf ? disc->exceptf(&protocol_vm, type, obj, disc) : 0;
}

/* Whether all of p[0..size) is c. */
static inline int all(const char *p, int c, size_t size)
{
    while (size > 0 && *p == (char)c)
        p++, size--;
    return size == 0;
}

/* Whether the byte can be read; learnt from the system, without a fault: from its list of mappings,
 * or where it has none, from what it says to writing the byte (which valgrind would report). */
static inline int readable(const char *p)
{
    FILE *f = fopen("/proc/self/maps", "r");
    uintptr_t from, to;
    char access, line[512];
    int fd[2], yes = 0;

    if (f) {
        while (!yes && fgets(line, sizeof line, f))
            yes = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %c", &from, &to, &access) == 3 && access == 'r' &&
                  (uintptr_t)p >= from && (uintptr_t)p < to;
        fclose(f);
        return yes;
    }
    assert_int_equal(pipe(fd), 0);
    yes = write(fd[1], p, 1) == 1;
    close(fd[0]);
    close(fd[1]);
    return yes;
}

/* What makes no sense is answered by NULL, and nothing happens. */
static inline void protocol_nonsense(Vmdisc_t *disc)
{
    char c;

    assert_null(ask(disc, NULL, 0, 0));
    assert_null(ask(disc, NULL, 4096, 0));
    assert_null(ask(disc, NULL, 4096, 8192));
    assert_null(ask(disc, &c, 0, 0));
    assert_null(ask(disc, &c, 0, 4096));
}

/* A segment through its life: got, grown (or refused, and whole), shrunk, released. */
static inline void protocol_life(Vmdisc_t *disc, size_t unit, int cleared)
{
    size_t size = 2 * unit;
    char *seg = ask(disc, NULL, 0, size), *p;

    assert_non_null(seg);
    if (cleared)
        assert_true(all(seg, 0, size));
    memset(seg, 'a', size);
    p = ask(disc, seg, size, 4 * unit);
    if (p == seg) {
        if (cleared)
            assert_true(all(seg + size, 0, 2 * unit));
        size = 4 * unit;
        memset(seg, 'a', size);
    } else {
        assert_null(p);
    }
    assert_true(all(seg, 'a', size));
    p = ask(disc, seg, size, unit);
    if (p == seg)
        size = unit;
    else
        assert_null(p);
    assert_true(all(seg, 'a', size));
    assert_ptr_equal(ask(disc, seg, size, 0), seg);
}

/* Sizes that no memory has. */
static inline void protocol_toomuch(Vmdisc_t *disc, size_t unit)
{
    char *seg;

    errno = 0;
    assert_null(ask(disc, NULL, 0, SIZE_MAX));
    assert_int_equal(errno, ENOMEM);
    assert_null(ask(disc, NULL, 0, SIZE_MAX - unit - 100));
    assert_null(ask(disc, NULL, 0, SIZE_MAX / 16 * 15));
    seg = ask(disc, NULL, 0, unit);
    assert_non_null(seg);
    memset(seg, 'a', unit);
    assert_null(ask(disc, seg, unit, SIZE_MAX));
    assert_null(ask(disc, seg, unit, SIZE_MAX - unit - 100));
    assert_true(all(seg, 'a', unit));
    assert_ptr_equal(ask(disc, seg, unit, 0), seg);
}

#endif
