/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static int stopat;
static size_t seen, bytes;
static Vmalloc_t *firstvm;

static int visit(Vmalloc_t *vm, void *addr, size_t size, Vmdisc_t *disc, void *handle)
{
    assert_ptr_equal(handle, &seen);
    assert_ptr_equal(disc, vm->disc);
    assert_ptr_equal(vmregion(addr), vm);
    assert_int_equal(vmstat(vm, NULL), 1);
    if (seen++ == 0)
        firstvm = vm;
    bytes += size;
    return (int)seen == stopat ? -7 : (int)seen;
}

static int walk(Vmalloc_t *vm, int stop)
{
    stopat = stop;
    seen = bytes = 0;
    return vmwalk(vm, visit, &seen);
}

static int blocks(Vmalloc_t *vm, void *addr, size_t size, int busy, void *handle)
{
    (void)addr, (void)size, (void)busy, (void)handle;
    assert_int_equal(vmstat(vm, NULL), 1);
    return -3;
}

static void segments_of_one(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    vmalloc(vm, 10000);
    vmalloc(vm, 20000);
    assert_int_equal(walk(vm, 0), 3);
    assert_int_equal(bytes, c->bytes);
    assert_int_equal(walk(vm, 2), -7);
    assert_int_equal(seen, 2);
    assert_int_equal(vmstat(vm, NULL), 0);
    stopat = 0, seen = 0;
    assert_int_equal(vmsegwalk(vm, visit, &seen), 3);
    bump_close(vm, c);
}

static void all_regions(void **state)
{
    chk_t *c[3];
    Vmalloc_t *vm[3];
    int i, n;

    (void)state;
    for (i = 0; i < 3; i++)
        vm[i] = bump_open(&c[i], 0);
    n = walk(NULL, 0);
    assert_int_equal(n, (int)seen);
    assert_true(n >= 4);
    assert_ptr_equal(firstvm, Vmheap);
    assert_int_equal(walk(NULL, 2), -7);
    assert_int_equal(seen, 2);
    assert_int_equal(vmr_listlock.word, 0);
    for (i = 0; i < 3; i++) {
        assert_int_equal(vmstat(vm[i], NULL), 0);
        bump_close(vm[i], c[i]);
    }
}

static void refuses_nonsense(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(vmwalk(Vmheap, NULL, NULL), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmblkwalk(NULL, blocks, NULL), -1);
    assert_int_equal(vmblkwalk(Vmheap, NULL, NULL), -1);
}

static void blocks_of_one(void **state)
{
    Vmethodx_t more = bump_more;
    Vmethod_t meth = bump_method;
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    assert_int_equal(vmblkwalk(vm, blocks, NULL), -3);
    assert_int_equal(vmstat(vm, NULL), 0);
    bump_close(vm, c);
    more.walkf = NULL;
    meth.more = &more;
    c = chk_new(0, CHK_MALLOC, CHK_REFUSE);
    vm = vmopen(&c->disc, &meth, 0);
    errno = 0;
    assert_int_equal(vmblkwalk(vm, blocks, NULL), -1);
    assert_int_equal(errno, ENOTSUP);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_of_one),
        cmocka_unit_test(all_regions),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(blocks_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
