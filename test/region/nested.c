/* SPDX-License-Identifier: MIT */
#include "_bump.h"

/* A discipline of blocks of another region. */
typedef struct blocks {
    Vmdisc_t disc;
    Vmalloc_t *parent;
} blocks_t;

static void *blocks(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Vmalloc_t *parent = ((blocks_t *)disc)->parent;

    (void)vm, (void)csize;
    if (addr == NULL)
        return vmalloc(parent, nsize);
    return nsize == 0 && vmfree(parent, addr) == 0 ? addr : NULL;
}
static blocks_t in_a = {{blocks, NULL, 1024, 0}, NULL}, in_b = {{blocks, NULL, 1024, 0}, NULL};

static void all_calls_fail(Vmalloc_t *vm)
{
    Vmstat_t st;
    int n = 0;

    errno = 0;
    assert_null(vm->data);
    assert_null(vmalloc(vm, 10));
    assert_int_equal(errno, EINVAL);
    assert_null(vmalign(vm, 10, 16));
    assert_null(vmresize(vm, &n, 10, VM_RSCOPY));
    assert_int_equal(vmfree(vm, &n), -1);
    assert_int_equal(vmaddr(vm, &n), -1);
    assert_int_equal(vmsize(vm, &n), -1);
    assert_int_equal(vmcompact(vm), -1);
    assert_null((vmalloc)(vm, 10));
    assert_int_equal(vmclear(vm), -1);
    assert_int_equal(vmset(vm, 0, 0), -1);
    assert_null(vmdisc(vm, NULL));
    assert_int_equal(vmstat(vm, &st), -1);
    assert_int_equal(vmstat(vm, NULL), 0);
    assert_null(vmsegment(vm, &n));
    assert_null(vmuserdata(vm, 1, 1));
    assert_null(vmname(vm, "x"));
    assert_null(vmstrdup(vm, "x"));
    assert_int_equal(vmdbcheck(vm), -1);
    assert_int_equal(vmwalk(vm, (Vmwalk_f)0, &n), -1);
    assert_int_equal(errno, EINVAL);
}

/* Three deep, and each of several segments; the outermost goes by how. */
static void drowns(int (*how)(Vmalloc_t *))
{
    Vmalloc_t *a, *b, *c;
    int before;
    chk_t *chk;
    char *p;

    vmr_heap();
    before = regions();
    a = in_a.parent = bump_open(&chk, 0);
    b = in_b.parent = vmopen(&in_a.disc, BUMP, 0);
    vmalloc(b, 20000);
    c = vmopen(&in_b.disc, BUMP, 0);
    p = vmalloc(c, 30000);
    assert_ptr_equal(vmregion(p), c);
    assert_ptr_equal(vmregion(c->data), c);
    assert_int_equal(regions(), before + 3);
    bump_closed = 0;
    assert_int_equal(how(a), 0);
    assert_int_equal(bump_closed, how == vmclose ? 3 : 2);
    assert_int_equal(regions(), how == vmclose ? before : before + 1);
    assert_ptr_equal(vmregion(p), how == vmclose ? NULL : a);
    all_calls_fail(b);
    all_calls_fail(c);
    assert_true(vmr_index_check() >= 0);
    errno = 4711;
    assert_int_equal(vmclose(b), 0);
    assert_int_equal(vmclose(c), 0);
    assert_int_equal(errno, 4711);
    if (how != vmclose)
        vmclose(a);
    bump_done(chk);
    assert_int_equal(regions(), before);
    assert_true(vmr_index_check() >= 0);
}

static void closed_under_it(void **state)
{
    (void)state;
    drowns(vmclose);
}

static void cleared_under_it(void **state)
{
    (void)state;
    drowns(vmclear);
}

/* Only a later segment of b lies in what goes; its first one is elsewhere. */
static void part_of_it(void **state)
{
    chk_t *chk, *other;
    Vmalloc_t *b = bump_open(&other, 0);
    char *p, *q;

    (void)state;
    in_a.parent = bump_open(&chk, 0);
    q = vmalloc(b, 10);
    vmdisc(b, &in_a.disc);
    p = vmalloc(b, 20000);
    assert_ptr_equal(vmregion(p), b);
    bump_close(in_a.parent, chk);
    all_calls_fail(b);
    assert_null(vmregion(q)); /* the index may still know the segment, but its region is dead */
    assert_int_equal(vmclose(b), 0);
    assert_null(vmregion(q));
    assert_true(vmr_index_check() >= 0);
    chk_drop(other);
}

/* A region is left open in a buffer that then serves another one. */
static char buffer[3][8192] __attribute__((aligned(16)));
static int nbuffer;

static void *fixed(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm, (void)csize, (void)disc;
    if (addr != NULL)
        return nsize == 0 ? addr : NULL;
    return nsize <= sizeof buffer[0] && nbuffer < 3 ? buffer[nbuffer++] : NULL;
}

static void buffer_used_again(void **state)
{
    Vmdisc_t disc = {fixed, NULL, sizeof buffer[0], 0};
    Vmalloc_t *left, *vm;

    (void)state;
    left = vmopen(&disc, BUMP, 0);
    assert_non_null(left);
    memset(buffer[0], 0xff, sizeof buffer[0]);
    nbuffer = 0;
    vm = vmopen(&disc, BUMP, 0);
    assert_non_null(vm);
    assert_ptr_equal(vmregion(buffer[0] + 4000), vm);
    all_calls_fail(left);
    assert_int_equal(vmclose(left), 0);
    assert_non_null(vmalloc(vm, 5000));
    assert_int_equal(nbuffer, 2 - (vmsegment(vm, buffer[1]) == NULL));
    assert_int_equal(vmclose(vm), 0);
    assert_true(vmr_index_check() >= 0);
}

/* The discipline keeps the outer region: the inner one lives on. */
static int keep(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    (void)c, (void)vm, (void)obj;
    return type == VM_CLOSE;
}

static void kept_under_it(void **state)
{
    chk_t *chk;
    Vmalloc_t *b;
    char *p;

    (void)state;
    in_a.parent = bump_open(&chk, 0);
    b = vmopen(&in_a.disc, BUMP, 0);
    p = vmalloc(b, 100);
    chk->onevent = keep;
    assert_int_equal(vmclose(in_a.parent), 0);
    assert_ptr_equal(vmregion(p), b);
    assert_non_null(vmalloc(b, 100));
    assert_true(vmr_index_check() >= 0);
    in_a.disc.memoryf = fixed;
    assert_int_equal(vmclose(b), 0);
    in_a.disc.memoryf = blocks;
    chk_drop(chk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_under_it), cmocka_unit_test(cleared_under_it),
        cmocka_unit_test(part_of_it),      cmocka_unit_test(buffer_used_again),
        cmocka_unit_test(kept_under_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
