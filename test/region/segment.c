/* SPDX-License-Identifier: MIT */
#include "_bump.h"

/* A region of three segments. */
static Vmalloc_t *three(chk_t **c)
{
    Vmalloc_t *vm = bump_open(c, 0);

    vmalloc(vm, 20000);
    vmalloc(vm, 40000);
    assert_int_equal((*c)->nsegs, 3);
    return vm;
}

static void releases_one(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = three(&c);
    Vmseg_t *seg = vmmtsegs(vm)->next;
    char *addr = seg->addr;
    size_t extent = vm->data->extent;

    (void)state;
    c->keep = 1;
    assert_int_equal(vmmtrelease(vm, seg), -1);
    assert_int_equal(vm->data->nseg, 3);
    assert_ptr_equal(vmregion(addr), vm);
    c->keep = 0;
    errno = 4711;
    assert_int_equal(vmmtrelease(vm, seg), 0);
    assert_int_equal(errno, 4711);
    assert_null(vmregion(addr));
    assert_int_equal(vm->data->nseg, 2);
    assert_int_equal(vm->data->extent, c->bytes);
    assert_int_equal(vm->data->maxextent, extent);
    assert_int_equal(vmmtrelease(vm, vmmtsegs(vm)), 0);
    errno = 0;
    assert_int_equal(vmmtrelease(vm, vmmtsegs(vm)), -1); /* the first */
    assert_int_equal(errno, EINVAL);
    bump_close(vm, c);
}

static void shrinks_one(void **state)
{
    chk_t *c = chk_new(127, CHK_RESERVE, CHK_INPLACE);
    Vmalloc_t *vm = vmopen(&c->disc, BUMP, 0);
    Vmseg_t *seg = vmmtsegs(vm);
    size_t extent, keep;

    (void)state;
    assert_int_equal(vmmtgrow(vm, seg, 100000), 0);
    extent = seg->extent;
    assert_int_equal(vmmtshrink(vm, seg, SIZE_MAX), 0);
    assert_int_equal(vmmtshrink(vm, seg, (size_t)(seg->end - seg->base)), 0);
    assert_int_equal(seg->extent, extent);
    assert_int_equal(c->shrinks, 0);
    c->keep = 1;
    assert_int_equal(vmmtshrink(vm, seg, 10), -1);
    assert_int_equal(seg->extent, extent);
    c->keep = 0;
    for (keep = 90000; keep > 5000; keep -= 8123) {
        char *end = seg->end;
        assert_int_equal(vmmtshrink(vm, seg, keep), 0);
        assert_true((size_t)(seg->end - seg->base) >= keep);
        assert_true((size_t)(seg->end - seg->base) < keep + 127 * 16);
        assert_null(vmregion(end - 1));
        assert_ptr_equal(vmregion(seg->end - 1), vm);
        assert_int_equal(vm->data->extent, c->bytes);
    }
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(releases_one),
        cmocka_unit_test(shrinks_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
