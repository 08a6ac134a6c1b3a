/* SPDX-License-Identifier: MIT */
/* Addresses that are no block, in every kind of place: told, and nothing is changed. */
#include "_best.h"

#include <pthread.h>

static int told;

static int hears(Vmalloc_t *vm, int type, void *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    told += type == VM_BADADDR;
    return 0;
}

static Vmdisc_t disc;

static Vmalloc_t *opened(int flags)
{
    disc = plaindisc(0);
    disc.exceptf = hears;
    return vmopen(&disc, Vmbest, flags);
}

/* p is no block of vm. */
static void refused(Vmalloc_t *vm, void *p)
{
    Vmstat_t before = statof(vm), after;
    int n = told;
    errno = 0;
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(errno, EINVAL);
    assert_null(vmresize(vm, p, 10, VM_RSMOVE | VM_RSCOPY));
    assert_int_equal(vmsize(vm, p), -1);
    assert_int_equal(told, vm->disc == &disc ? n + 2 : n);
    after = statof(vm);
    assert_memory_equal(&before, &after, sizeof after);
    assert_int_equal(vmdbcheck(vm), 0);
}

/* Around and inside a block of size bytes; then freed, and once more. */
static void block(Vmalloc_t *vm, size_t size)
{
    char *p = vmalloc(vm, size);
    size_t have = (size_t)vmsize(vm, p);
    refused(vm, p + 1);
    refused(vm, p + 8);
    if (have > 16)
        refused(vm, p + 16);
    refused(vm, p + have / 2 + 1);
    refused(vm, p + have - 1);
    if (have > 4096) {
        refused(vm, (char *)VMB_UP(p + 1, 4096));
        refused(vm, (char *)VMB_UP(p + have / 2, 4096));
    }
    assert_int_equal(vmaddr(vm, p + have - 1), have - 1);
    assert_int_equal(vmfree(vm, p), 0);
    refused(vm, p);
    refused(vm, p + 16);
}

static void places(void **state)
{
    static const size_t sizes[] = {0,    16,   17,    100,   256,   1000,   1024,    1025,
                                   5000, 9000, 30000, 32768, 32769, 100000, 1000000, 5000000};
    static const int flags[] = {0, VM_SINGLE, VM_MEMORYF};
    size_t i, f;
    (void)state;
    for (f = 0; f < 3; f++) {
        Vmalloc_t *vm = opened(flags[f]);
        char *keep[16];
        for (i = 0; i < 16; i++) {
            block(vm, sizes[i]);
            keep[i] = vmalloc(vm, sizes[i]);
            block(vm, sizes[i]);
        }
        for (i = 0; i < 16; i++)
            assert_int_equal(vmfree(vm, keep[i]), 0);
        vmclose(vm);
    }
}

static void foreign(void **state)
{
    Vmalloc_t *vm = opened(0), *other = opened(0);
    char *p = vmalloc(vm, 100), *q = vmalloc(other, 100), *r = vmalloc(other, 100000), here[64];
    static char there[64];
    size_t i;
    (void)state;
    refused(vm, q);
    refused(vm, r);
    refused(other, p);
    refused(vm, here);
    refused(vm, there);
    refused(vm, (void *)(uintptr_t)8);
    refused(vm, (void *)(uintptr_t)4096);
    refused(vm, (void *)(UINTPTR_MAX - 4095));
    refused(vm, (void *)(UINTPTR_MAX / 2));
    refused(vm, (void *)(uintptr_t)foreign);
    refused(vm, vm);
    refused(vm, vm->data);
    for (i = 0; i < statof(vm).extent; i += 4096) /* every page of the other one */
        if ((char *)vmmtsegs(other)->addr + i != q && vmmtsegs(other)->extent > i)
            refused(vm, (char *)vmmtsegs(other)->addr + i);
    assert_int_equal(vmfree(vm, NULL), 0);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmfree(other, q), 0);
    assert_int_equal(vmfree(other, r), 0);
    vmclose(vm);
    vmclose(other);
}

/* All addresses of a region's memory, in steps of 16 bytes: only starts of blocks are blocks. */
static int starts(Vmalloc_t *vm, void *addr, size_t size, int busy, void *handle)
{
    (void)vm, (void)size;
    if (busy) {
        char ***next = handle;
        *(*next)++ = addr;
    }
    return 0;
}

static int byaddr(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    return x < y ? -1 : x > y;
}

static void everywhere(Vmalloc_t *vm)
{
    static char *block[40000];
    char **next = block, *p;
    size_t n, found = 0;
    Vmseg_t *seg;
    Vmstat_t before = statof(vm), after;
    vmblkwalk(vm, starts, &next);
    n = (size_t)(next - block);
    qsort(block, n, sizeof *block, byaddr);
    for (seg = vmmtsegs(vm); seg; seg = seg->next)
        for (p = (char *)VMB_UP(seg->addr, 16); p + 16 <= seg->addr + seg->extent; p += 16) {
            if (bsearch(&p, block, n, sizeof *block, byaddr)) {
                found++;
                assert_true(vmsize(vm, p) > 0);
            } else {
                assert_int_equal(vmfree(vm, p), -1);
                assert_int_equal(vmfree(vm, p + 5), -1);
                assert_int_equal(vmsize(vm, p), -1);
            }
        }
    assert_int_equal(found, n);
    after = statof(vm);
    assert_memory_equal(&before, &after, sizeof after);
    assert_int_equal(vmdbcheck(vm), 0);
}

static void all_addresses(void **state)
{
    size_t i, k;
    (void)state;
    for (k = 0; k < 3; k++) { /* reserved memory; plain; granules */
        chk_t *c = chk_new(0, CHK_MALLOC, CHK_REFUSE);
        Vmalloc_t *vm = k ? vmopen(&c->disc, Vmbest, 0) : opened(0);
        model_t *m = model_new(vm, 2000, k);
        c->odd = 40;
        c->maxbytes = k == 2 ? 50000 : (size_t)1 << 20;
        for (i = 0; i < 1500; i++)
            model_step(m, k == 2 ? 400 : 9000);
        model_agree(m);
        everywhere(vm);
        model_contents(m);
        while (m->n > 0)
            model_drop(m, 0);
        vmclose(vm);
        model_free(m);
        chk_drop(c);
    }
}

/* A region in a block of another: its blocks are no blocks of the outer one. */
static void nested(void **state)
{
    Vmalloc_t *vm = opened(0), *in;
    char *p, *q, *b;
    size_t i;
    (void)state;
    vmfree(vm, vmalloc(vm, 10));
    in = vmopen(vmdcderive(vm, 65536, 0), Vmbest, 0);
    for (i = 0; i < 3000; i++)
        vmalloc(in, 48);
    p = vmalloc(in, 48);
    q = vmalloc(in, 40000);
    refused(vm, p);
    refused(vm, q);
    refused(vm, q + 4096);
    b = vmsegment(in, p);
    assert_non_null(b);
    refused(in, b);
    assert_int_equal(vmaddr(vm, p), p - b);
    assert_int_equal(vmfree(in, p), 0);
    assert_int_equal(vmfree(in, q), 0);
    sound(in);
    assert_int_equal(vmclose(in), 0);
    sound(vm);
    vmclose(vm);
}

/* ---- blocks of other threads ---- */

typedef struct far {
    Vmalloc_t *vm;
    char *p[3000];
    size_t n, size;
    pthread_barrier_t turn;
} far_t;

static void owner(size_t me, void *arg)
{
    far_t *f = arg;
    size_t i;
    (void)me;
    for (i = 0; i < f->n; i++)
        f->p[i] = vmalloc(f->vm, f->size);
    pthread_barrier_wait(&f->turn);
    pthread_barrier_wait(&f->turn);
    for (i = 0; i < f->n; i += 3) { /* freed by the other thread, as this one has not noticed yet */
        assert_int_equal(vmfree(f->vm, f->p[i]), -1);
        assert_int_equal(vmsize(f->vm, f->p[i]), -1);
    }
    for (i = 1; i < f->n; i += 3)
        assert_int_equal(vmfree(f->vm, f->p[i]), 0);
    pthread_barrier_wait(&f->turn);
    pthread_barrier_wait(&f->turn);
}

static void far(void **state)
{
    static far_t f;
    static const size_t sizes[] = {16, 100, 1000, 6000};
    size_t s, i;
    (void)state;
    for (s = 0; s < 4; s++) {
        team_t team;
        f.vm = opened(0);
        f.n = 1501;
        f.size = sizes[s];
        vmfree(f.vm, vmalloc(f.vm, 1));
        pthread_barrier_init(&f.turn, NULL, 2);
        team_start(&team, 1, owner, &f);
        pthread_barrier_wait(&f.turn);
        for (i = 0; i < f.n; i += 3) {
            if (i % 60 == 0) {
                refused(f.vm, f.p[i] + 3);
                refused(f.vm, f.p[i] + 16 * (f.size > 16) + 1);
            }
            assert_int_equal(vmfree(f.vm, f.p[i]), 0);
            assert_int_equal(vmfree(f.vm, f.p[i]), -1);
            assert_int_equal(vmsize(f.vm, f.p[i]), -1);
        }
        pthread_barrier_wait(&f.turn);
        pthread_barrier_wait(&f.turn);
        for (i = 1; i < f.n; i += 3)
            assert_int_equal(vmfree(f.vm, f.p[i]), -1);
        pthread_barrier_wait(&f.turn);
        team_join(&team);
        sound(f.vm);
        assert_int_equal(statof(f.vm).n_busy, f.n / 3);
        for (i = 2; i < f.n; i += 3)
            assert_int_equal(vmfree(f.vm, f.p[i]), 0);
        for (i = 0; i < f.n; i++)
            assert_int_equal(vmfree(f.vm, f.p[i]), -1);
        sound(f.vm);
        pthread_barrier_destroy(&f.turn);
        vmclose(f.vm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places), cmocka_unit_test(foreign), cmocka_unit_test(all_addresses),
        cmocka_unit_test(nested), cmocka_unit_test(far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
