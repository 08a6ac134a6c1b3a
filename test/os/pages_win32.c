/* SPDX-License-Identifier: MIT */
/* Pages of Windows: as on other systems, but what is given back in part stays taken. */
#include "_test.h"

#include <windows.h>

static DWORD stateof(const void *p)
{
    MEMORY_BASIC_INFORMATION is;
    assert_int_not_equal(VirtualQuery(p, &is, sizeof is), 0);
    return is.State;
}

static int writable(const void *p)
{
    MEMORY_BASIC_INFORMATION is;
    return VirtualQuery(p, &is, sizeof is) != 0 && is.State == MEM_COMMIT && is.Protect == PAGE_READWRITE;
}

static void sizes(void **state)
{
    SYSTEM_INFO info;
    (void)state;
    GetSystemInfo(&info);
    assert_int_equal(vmos_pagesize(), info.dwAllocationGranularity);
    assert_int_equal(vmos_kernelpage(), info.dwPageSize);
    assert_int_equal(vmos_pagesize() % vmos_kernelpage(), 0);
    assert_int_equal(vmos_hugesize(), 0);
}

static void maps_cleared(void **state)
{
    char *p = vmos_map(NULL, 3 * MIB, 0), *q;
    (void)state;
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % vmos_pagesize(), 0);
    assert_int_equal(pat_notzero(p, 0, 3 * MIB), 3 * MIB);
    memset(p, 1, 3 * MIB);
    q = vmos_map(p, MIB, 0); /* a hint that cannot be taken */
    assert_non_null(q);
    assert_int_equal(pat_notzero(q, 0, MIB), MIB);
    assert_int_equal(vmos_unmap(q, MIB), 0);
    assert_int_equal(vmos_unmap(p, 3 * MIB), 0);
    assert_int_equal(stateof(p), MEM_FREE);
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
    errno = 0;
    assert_null(vmos_maphuge(2 * MIB, 0));
    assert_int_equal(errno, ENOTSUP);
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
    assert_int_equal(vmos_unmap(p, 4 * page), 0);
    errno = 77;
    assert_ptr_equal(vmos_mapat(p, page, 0), p);
    assert_ptr_equal(vmos_mapat(p + page, 2 * page, 0), p + page); /* as a segment grows */
    assert_int_equal(errno, 77);
    assert_int_equal(pat_notzero(p, 0, 3 * page), 3 * page);
    assert_int_equal(vmos_unmap(p, 3 * page), 0); /* two allocations at once */
    assert_int_equal(stateof(p), MEM_FREE);
    assert_int_equal(stateof(p + page), MEM_FREE);
}

/* What was cut off the end of an allocation comes back cleared; what lies elsewhere does not. */
static void comes_back(void **state)
{
    size_t page = vmos_pagesize();
    char *p = vmos_map(NULL, 4 * page, 0), *other = VirtualAlloc(NULL, 4 * page, MEM_RESERVE, PAGE_READWRITE);
    (void)state;
    memset(p, 5, 4 * page);
    assert_int_equal(vmos_unmap(p + page, 3 * page), 0);
    assert_null(vmos_mapat(p + 2 * page, page, 0)); /* what is in front of it is not mapped */
    assert_null(vmos_mapat(p + page, 4 * page, 0));
    assert_ptr_equal(vmos_mapat(p + page, 2 * page, 0), p + page);
    assert_int_equal(pat_notzero(p, page, 3 * page), 3 * page);
    assert_int_equal(p[page - 1], 5);
    assert_int_equal(stateof(p + 3 * page), MEM_RESERVE);
    assert_int_equal(vmos_unmap(p, 3 * page), 0);
    assert_int_equal(stateof(p + 3 * page), MEM_FREE);
    assert_non_null(VirtualAlloc(other, page, MEM_COMMIT, PAGE_READWRITE)); /* as a stack or a heap is */
    assert_null(vmos_mapat(other + page, page, 0));
    assert_int_equal(errno, EEXIST);
    VirtualFree(other, 0, MEM_RELEASE);
}

/* In any order and in any pieces: all goes when the last of it goes. */
static void goes_in_parts(void **state)
{
    static const int order[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};
    size_t page = vmos_pagesize();
    (void)state;
    for (int k = 0; k < 4; k++) {
        char *p = vmos_map(NULL, 8 * page, 0);
        memset(p, 5, 8 * page);
        for (int i = 0; i < 4; i++) {
            char *at = p + 2 * (size_t)order[k][i] * page;
            assert_int_equal(stateof(at), MEM_COMMIT);
            assert_int_equal(vmos_unmap(at, 2 * page), 0);
            assert_int_equal(stateof(at), i < 3 ? MEM_RESERVE : MEM_FREE);
        }
        for (int i = 0; i < 8; i++)
            assert_int_equal(stateof(p + (size_t)i * page), MEM_FREE);
        assert_int_equal(vmos_unmap(p, 8 * page), 0); /* nothing is there: as on other systems */
    }
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
            assert_int_equal(vmos_unmap(p[i], page), 0);
            assert_int_equal(vmos_unmap(p[i] + page, 2 * page), 0);
            assert_int_equal(stateof(p[i]), MEM_FREE);
        }
    }
}

static void purges(void **state)
{
    size_t page = vmos_pagesize();
    char *p = vmos_map(NULL, 8 * page, 0);
    (void)state;
    memset(p, 7, 8 * page);
    assert_int_equal(vmos_protect(p + 2 * page, page), 0);
    assert_int_equal(vmos_purge(p + page, 4 * page), 0);
    assert_false(writable(p + 2 * page)); /* as before */
    assert_int_equal(vmos_unprotect(p + 2 * page, page), 0);
    assert_int_equal(p[page - 1], 7);
    assert_int_equal(pat_notzero(p, page, 5 * page), 5 * page);
    assert_int_equal(p[5 * page], 7);
    assert_int_equal(vmos_purge(p, 8 * page), 0);
    assert_int_equal(pat_notzero(p, 0, 8 * page), 8 * page);
    assert_int_equal(vmos_unmap(p + page, page), 0);
    assert_int_equal(vmos_purge(p, 3 * page), -1);
    assert_int_equal(vmos_unmap(p, 8 * page), 0);
    assert_int_equal(stateof(p), MEM_FREE);
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
    errno = 0;
    assert_int_equal(vmos_protect(p + 1, page), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmos_unmap(p, 3 * page), 0);
}

/* Threads give parts of the same allocation back, while others map and purge. */
#define THREADS 4
#define PARTS 64

static char *common;

static void *parts(void *arg)
{
    size_t page = vmos_pagesize(), me = (size_t)(uintptr_t)arg;
    for (size_t i = me; i < PARTS; i += THREADS) {
        char *own = vmos_map(NULL, 2 * page, 0);
        if (own == NULL || pat_notzero(own, 0, 2 * page) != 2 * page)
            return &common;
        memset(own, 3, 2 * page);
        if (vmos_purge(own, page) != 0 || pat_notzero(own, 0, page) != page || own[page] != 3)
            return &common;
        if (vmos_unmap(common + i * page, page) != 0 || vmos_unmap(own, 2 * page) != 0)
            return &common;
    }
    return NULL;
}

static void threads_share_an_allocation(void **state)
{
    pthread_t t[THREADS];
    void *bad;
    (void)state;
    for (int round = 0; round < 50; round++) {
        common = vmos_map(NULL, PARTS * vmos_pagesize(), 0);
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&t[i], NULL, parts, (void *)(uintptr_t)i), 0);
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(t[i], &bad);
            assert_null(bad);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),         cmocka_unit_test(maps_cleared),
        cmocka_unit_test(no_memory),     cmocka_unit_test(maps_at),
        cmocka_unit_test(comes_back),    cmocka_unit_test(goes_in_parts),
        cmocka_unit_test(aligns),
        cmocka_unit_test(purges),        cmocka_unit_test(protects),
        cmocka_unit_test(threads_share_an_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
