/* SPDX-License-Identifier: MIT */
/* Tests of pages that hold on every platform; the file that includes this one chooses it. */
#include "_test.h"

#include <sys/mman.h>

/* Whether the system lets us write at p, as it tells itself: a fault on purpose would end the run
 * under valgrind. */
static int writable(const void *p)
{
    unsigned long from, to;
    char line[256], r, w = '-';
    FILE *f = fopen("/proc/self/maps", "r");
    if (f == NULL)
        skip();
    while (fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "%lx-%lx %c%c", &from, &to, &r, &w) == 4 && (uintptr_t)p >= from &&
            (uintptr_t)p < to)
            break;
        else
            w = '-';
    fclose(f);
    return w == 'w';
}

static void sizes(void **state)
{
    size_t page = vmos_pagesize(), huge = vmos_hugesize();
    (void)state;
#ifdef VMOS_PAGESIZE
    assert_int_equal(page, VMOS_PAGESIZE);
#else
    assert_int_equal(page, (size_t)sysconf(_SC_PAGESIZE));
#endif
    assert_int_equal(page, vmos_pagesize());
    assert_int_equal(huge & (huge - 1), 0);
    assert_true(huge == 0 || huge > page);
}

static void maps_cleared(void **state)
{
    static const int flags[] = {0, VMOS_RESERVE, VMOS_SMALL, VMOS_RESERVE | VMOS_SMALL};
    (void)state;
    for (int i = 0; i < 4; i++) {
        char *p, vec;
        errno = 77;
        p = vmos_map(NULL, 3 * MIB, flags[i]);
        assert_non_null(p);
        assert_int_equal(errno, 77);
        assert_int_equal((uintptr_t)p % vmos_pagesize(), 0);
        assert_int_equal(pat_notzero(p, 0, 3 * MIB), 3 * MIB);
        memset(p, 1, 3 * MIB);
        assert_int_equal(vmos_unmap(p, 3 * MIB), 0);
        assert_int_equal(mincore(p, vmos_pagesize(), (void *)&vec), -1); /* gone */
    }
}

static void no_memory(void **state)
{
    (void)state;
    errno = 0;
    assert_null(vmos_map(NULL, SIZE_MAX / 16 * 15 / MIB * MIB, 0));
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(vmos_mapalign(SIZE_MAX - vmos_pagesize() + 1, 64 * MIB, 0));
    assert_int_equal(errno, ENOMEM);
}

static void maps_at(void **state)
{
    size_t page = vmos_pagesize();
    char *p = vmos_map(NULL, 4 * page, 0);
    (void)state;
    assert_non_null(p);
    p[page] = 'x';
    errno = 0;
    assert_null(vmos_mapat(p + page, page, 0));
    assert_int_equal(errno, EEXIST);
    assert_int_equal(p[page], 'x');
    assert_int_equal(vmos_unmap(p + 2 * page, page), 0);
    assert_null(vmos_mapat(p + 2 * page, 2 * page, 0)); /* half of it is taken */
    errno = 77;
    assert_ptr_equal(vmos_mapat(p + 2 * page, page, VMOS_RESERVE), p + 2 * page);
    assert_int_equal(errno, 77);
    assert_int_equal(p[2 * page], 0);
    assert_int_equal(vmos_unmap(p, 4 * page), 0);
}

static void aligns(void **state)
{
    size_t page = vmos_pagesize();
    (void)state;
    for (size_t align = page; align <= 64 * MIB; align *= 4) {
        char *p[8];
        for (int i = 0; i < 8; i++) {
            p[i] = vmos_mapalign(3 * page, align, 0);
            assert_non_null(p[i]);
            assert_int_equal((uintptr_t)p[i] % align, 0);
            pat_fill(p[i], 0, 3 * page, (uint64_t)i);
        }
        for (int i = 0; i < 8; i++) {
            assert_int_equal(pat_differs(p[i], 3 * page, (uint64_t)i), 3 * page);
            assert_int_equal(vmos_unmap(p[i], 3 * page), 0);
        }
    }
}

static void purges(void **state)
{
    size_t page = vmos_pagesize();
    char *p = vmos_map(NULL, 8 * page, 0);
    (void)state;
    memset(p, 7, 8 * page);
    assert_int_equal(vmos_purge(p + page, 4 * page), 0);
    assert_int_equal(p[page - 1], 7);
    assert_int_equal(pat_notzero(p, page, 5 * page), 5 * page);
    assert_int_equal(p[5 * page], 7);
    p[page] = 1;
    assert_int_equal(vmos_unmap(p, 8 * page), 0);
}

static void protects(void **state)
{
    size_t page = vmos_pagesize();
    char *p = vmos_map(NULL, 3 * page, 0);
    (void)state;
    p[page] = 9;
    assert_int_equal(vmos_protect(p + page, page), 0);
    assert_false(writable(p + page));
    assert_true(writable(p + 2 * page));
    assert_int_equal(vmos_unprotect(p + page, page), 0);
    assert_true(writable(p + page));
    assert_int_equal(p[page], 9);
    p[page] = 8;
    assert_int_equal(vmos_unmap(p, 3 * page), 0);
}

/* Advice may be refused, but does no harm. */
static void advice_is_harmless(void **state)
{
    char *p = vmos_map(NULL, 4 * MIB, 0);
    (void)state;
    pat_fill(p, 0, MIB, 1);
    vmos_askhuge(p, 4 * MIB);
    errno = 77;
    vmos_populate(p, 2 * MIB);
    vmos_name(p, 4 * MIB, "vmalloc test");
    vmos_name(p, 4 * MIB, "[refused]$");
    assert_int_equal(errno, 77);
    vmos_numa(p, 4 * MIB, 1, 1);
    errno = 0;
    assert_int_equal(vmos_numa(p, 4 * MIB, 9, 1), -1);
    assert_int_not_equal(errno, 0);
    assert_int_equal(pat_differs(p, MIB, 1), MIB);
    assert_int_equal(pat_notzero(p, MIB, 4 * MIB), 4 * MIB);
    assert_int_equal(vmos_unmap(p, 4 * MIB), 0);
}

static void huge_or_not(void **state)
{
    size_t huge = vmos_hugesize();
    char *p;
    (void)state;
    errno = 0;
    assert_null(vmos_maphuge(3 * MIB, 3 * MIB));
    assert_int_not_equal(errno, 0);
    p = vmos_maphuge(huge != 0 ? huge : 2 * MIB, 0); /* NULL unless the system has some set aside */
    if (p != NULL) {
        p[0] = 1;
        assert_int_equal(vmos_unmap(p, huge), 0);
    }
}

/* Moving: all of it or, with -1, the source unharmed. */
static void moves(void **state)
{
    size_t page = vmos_pagesize(), n = 300 * page;
    char *from = vmos_map(NULL, n, 0), *to = vmos_map(NULL, n, VMOS_RESERVE);
    int r;
    (void)state;
    pat_fill(from, 0, n, 5);
    pat_fill(to, 0, n, 6);
    errno = 77;
    r = vmos_movepages(to + page, from + page, n - 2 * page);
    assert_int_equal(pat_differs(from, page, 5), page);
    assert_int_equal(pat_differs(to, page, 6), page);
    if (r == 0) {
        assert_int_equal(errno, 77);
        assert_int_equal(pat_notzero(from, page, n - page), n - page);
        for (size_t i = page; i < n - page; i++)
            assert_int_equal((unsigned char)to[i], pat_byte(5, i));
        from[n / 2] = 1; /* still mapped */
    } else {
        assert_int_equal(pat_differs(from, n, 5), n);
        memset(to, 0, n);
    }
    assert_int_equal(vmos_unmap(from, n), 0);
    assert_int_equal(vmos_unmap(to, n), 0);
}

/* A source that the system knows as several mappings may be refused; nothing may be lost then. */
static void moves_pieces(void **state)
{
    size_t page = vmos_pagesize(), n = 12 * page;
    char *from = vmos_map(NULL, n, 0), *to = vmos_map(NULL, n, 0);
    int r;
    (void)state;
    assert_int_equal(vmos_protect(from + 4 * page, page), 0); /* three mappings */
    pat_fill(from, 0, 4 * page, 5);
    r = vmos_movepages(to, from, n);
    assert_int_equal(pat_differs(r == 0 ? to : from, 4 * page, 5), 4 * page);
    to[0] = to[n - 1] = 1;
    assert_int_equal(vmos_unmap(from, n), 0);
    assert_int_equal(vmos_unmap(to, n), 0);
}

static void breaks(void **state)
{
    char *old = vmos_sbrk(0);
    (void)state;
#if defined(__linux__) && !defined(__GLIBC__)
    skip(); /* musl's moves nothing */
#endif
    if (old == NULL)
        return; /* none here */
    assert_ptr_equal(vmos_sbrk((ptrdiff_t)vmos_pagesize()), old);
    memset(old, 1, vmos_pagesize());
    errno = 0;
    if (vmos_sbrk(PTRDIFF_MAX) != NULL) { /* half of all addresses: at most once */
        assert_null(vmos_sbrk(PTRDIFF_MAX));
        assert_int_equal(errno, ENOMEM);
        assert_non_null(vmos_sbrk(-PTRDIFF_MAX));
        return;
    }
    assert_int_equal(errno, ENOMEM);
}

static int run_pages(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),        cmocka_unit_test(maps_cleared),
        cmocka_unit_test(no_memory),    cmocka_unit_test(maps_at),
        cmocka_unit_test(aligns),       cmocka_unit_test(purges),
        cmocka_unit_test(protects),     cmocka_unit_test(advice_is_harmless),
        cmocka_unit_test(huge_or_not),  cmocka_unit_test(moves),
        cmocka_unit_test(moves_pieces), cmocka_unit_test(breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
