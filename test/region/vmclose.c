/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static int answer, ends;
static void *endobj;
static Vmalloc_t *endvm;

static int onclose(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    if (type == VM_ENDCLOSE) {
        ends++;
        endobj = obj;
        endvm = vm;
        assert_null(vm->data);
        assert_ptr_equal(vm->disc, &c->disc);
    }
    return type == VM_CLOSE ? answer : 0;
}

static void refuses_nonsense(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(vmclose(NULL), -1);
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_int_equal(vmclose(Vmheap), -1);
    assert_int_equal(errno, EINVAL);
}

static void releases_all(void **state)
{
    int flags, i, before;

    (void)state;
    vmr_heap();
    before = regions();
    for (flags = 0; flags <= VM_MEMORYF; flags += VM_MEMORYF) {
        chk_t *c;
        Vmalloc_t *vm = bump_open(&c, flags);
        c->onevent = onclose;
        for (i = 0; i < 20; i++)
            assert_non_null(vmalloc(vm, 5000));
        assert_true(c->nsegs > 10);
        ends = bump_closed = 0;
        errno = 4711;
        bump_close(vm, c);
        assert_int_equal(errno, 4711);
        assert_int_equal(ends, 1);
        assert_int_equal(bump_closed, 1);
        assert_ptr_equal(endobj, flags ? (void *)1 : NULL);
        assert_true((endvm == vm) == !flags);
        assert_int_equal(regions(), before);
    }
}

static void handler_refuses(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    void *p = vmalloc(vm, 10);

    (void)state;
    c->onevent = onclose;
    answer = -1;
    errno = 0;
    assert_int_equal(vmclose(vm), -1);
    assert_int_equal(errno, ECANCELED);
    assert_ptr_equal(vmregion(p), vm);
    assert_int_equal(bump_of(vm)->events[VM_METHCLOSE], 0);
    answer = 0;
    bump_close(vm, c);
}

static void handler_keeps_the_segments(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    void *p = vmalloc(vm, 50000);
    Vmdata_t *data = vm->data;

    (void)state;
    c->onevent = onclose;
    answer = 1;
    assert_int_equal(vmclose(vm), 0);
    answer = 0;
    assert_int_equal(c->frees, 0);
    assert_int_equal(c->nsegs, 2);
    assert_null(vmregion(p));
    assert_int_equal(data->magic, VMR_MAGIC);
    assert_int_equal(data->lock.word, 0);
    chk_drop(c);
}

/* The discipline lies in its own region, and released memory is overwritten.  When that is not the
 * first segment, the first one still goes after it, with nothing left to read. */
static chk_t *real;
static int readable;

static void *innermemory(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    if (nsize == 0)
        readable += disc->memoryf == innermemory;
    return chk_memory(vm, addr, csize, nsize, &real->disc);
}

static int innerexcept(Vmalloc_t *vm, int type, void *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    ends += type == VM_ENDCLOSE;
    return 0;
}

static void discipline_inside(void **state)
{
    Vmdisc_t first = {innermemory, innerexcept, 4096, 0}, *in;
    Vmalloc_t *vm;
    int i;

    (void)state;
    real = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
    vm = vmopen(&first, BUMP, 0);
    in = vmalloc(vm, sizeof *in);
    assert_ptr_equal(vmsegment(vm, in), vmmtsegs(vm)->addr);
    *in = first;
    assert_ptr_equal(vmdisc(vm, in), &first);
    for (i = 0; i < 5; i++)
        vmalloc(vm, 30000);
    ends = readable = 0;
    bump_close(vm, real);
    assert_int_equal(ends, 1);
    assert_int_equal(readable, 6);
}

/* As above, with the discipline in the middle of three later segments.  The last call finds it
 * gone, so memory is kept readable here by a parent region that all segments are blocks of. */
static Vmalloc_t *parent;
static size_t order[8], norder;
static char *innerseg;

static void *blocks(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    (void)vm, (void)csize, (void)disc;
    if (addr == NULL)
        return vmalloc(parent, nsize);
    if (nsize > 0)
        return NULL;
    order[norder++] = (char *)addr == innerseg ? 1 : 0;
    return addr;
}

static void discipline_in_a_later_segment(void **state)
{
    Vmdisc_t first = {blocks, NULL, 4096, 0}, *in = NULL;
    Vmalloc_t *vm;
    chk_t *c;
    int i;

    (void)state;
    parent = bump_open(&c, 0);
    vm = vmopen(&first, BUMP, 0);
    for (i = 0; i < 3; i++) {
        char *p = vmalloc(vm, 30000);
        if (i == 1)
            in = (Vmdisc_t *)(void *)p;
    }
    innerseg = vmsegment(vm, in);
    *in = first;
    vmdisc(vm, in);
    norder = 0;
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(norder, 4);
    assert_int_equal(order[2], 1); /* the last but one, before the first segment */
    bump_close(parent, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_nonsense),           cmocka_unit_test(releases_all),
        cmocka_unit_test(handler_refuses),            cmocka_unit_test(handler_keeps_the_segments),
        cmocka_unit_test(discipline_inside),          cmocka_unit_test(discipline_in_a_later_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
