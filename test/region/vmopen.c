/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static int answer;
static void *setobj;

static int onopen(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    (void)c;
    if (type != VM_OPEN)
        return 0;
    assert_null(*(void **)obj);
    assert_null(vm->data);
    *(void **)obj = setobj;
    return answer;
}

static void refuses_nonsense(void **state)
{
    Vmethodx_t nothing = bump_more;
    Vmethod_t old = bump_method;
    chk_t *c = chk_new(0, CHK_MALLOC, CHK_REFUSE);

    (void)state;
    errno = 0;
    assert_null(vmopen(NULL, BUMP, 0));
    assert_int_equal(errno, EINVAL);
    assert_null(vmopen(&c->disc, NULL, 0));
    old.more = NULL;
    assert_null(vmopen(&c->disc, &old, 0));
    nothing.eventf = NULL;
    old.more = &nothing;
    assert_null(vmopen(&c->disc, &old, 0));
    nothing.eventf = bump_event;
    nothing.room = SIZE_MAX - 100;
    errno = 0;
    assert_null(vmopen(&c->disc, &old, 0));
    assert_int_equal(errno, ENOMEM);
    c->disc.memoryf = NULL;
    assert_null(vmopen(&c->disc, BUMP, 0));
    assert_int_equal(c->nevents, 1); /* the VM_OPEN of the one that was too large */
    free(c);
}

static void refuses_memory_of_devices(void **state)
{
    Vmdiscmore_t more = {.disc = {chk_memory, NULL, 0, sizeof more}, .tag = VM_DCMORE,
                         .flags = VM_DCDEVICE};

    (void)state;
    errno = 0;
    assert_null(vmopen(&more.disc, BUMP, 0));
    assert_int_equal(errno, EINVAL);
}

static void ignores_unknown_flags(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, ~0 & ~VM_MEMORYF);

    (void)state;
    assert_int_equal(vmset(vm, 0, 0), (VM_OPENFLAGS & ~VM_MEMORYF) | VM_MTLAST);
    bump_close(vm, c);
}

static void keeps_errno_and_the_order(void **state)
{
    chk_t *c = chk_new(127, CHK_MALLOC, CHK_REFUSE);
    Vmalloc_t *vm;

    (void)state;
    errno = 4711;
    vm = vmopen(&c->disc, BUMP, 0);
    assert_int_equal(errno, 4711);
    assert_int_equal(c->events[0].type, VM_OPEN);
    assert_int_equal(c->events[0].calls, 0);
    assert_int_equal(c->events[1].type, VM_ENDOPEN);
    assert_int_equal(c->events[1].calls, 1);
    assert_ptr_equal(c->events[1].vm, vm);
    assert_int_equal(bump_of(vm)->events[VM_METHOPEN], 1);
    assert_ptr_equal(bump_of(vm)->arg, vmmtsegs(vm));
    assert_int_equal(vmmtsegs(vm)->extent % (127 * 16), 0);
    bump_close(vm, c);
}

static void any_address_will_do(void **state)
{
    size_t odd;

    (void)state;
    for (odd = 0; odd < 17; odd++) {
        chk_t *c = chk_new(1, CHK_MALLOC, CHK_REFUSE);
        Vmalloc_t *vm;
        Vmseg_t *seg;
        c->odd = odd;
        vm = vmopen(&c->disc, BUMP, odd & 1 ? VM_MEMORYF : 0);
        assert_non_null(vm);
        seg = vmmtsegs(vm);
        assert_int_equal((uintptr_t)seg->base % VM_ALIGN, 0);
        assert_int_equal((uintptr_t)seg->end % VM_ALIGN, 0);
        assert_true(seg->end <= seg->addr + seg->extent);
        assert_true((size_t)(seg->end - seg->base) >= bump_more.room);
        memset(seg->base, 1, (size_t)(seg->end - seg->base));
        bump_close(vm, c);
    }
}

static void handler_refuses(void **state)
{
    chk_t *c = chk_new(0, CHK_MALLOC, CHK_REFUSE);

    (void)state;
    c->onevent = onopen;
    answer = -1;
    errno = 0;
    assert_null(vmopen(&c->disc, BUMP, 0));
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(c->calls, 0);
    answer = 0;
    bump_done(c);
}

static void handle_in_the_region(void **state)
{
    chk_t *c = chk_new(0, CHK_MALLOC, CHK_REFUSE);
    Vmalloc_t *vm;

    (void)state;
    c->onevent = onopen;
    setobj = c;
    vm = vmopen(&c->disc, BUMP, 0);
    setobj = NULL;
    assert_ptr_equal(vmsegment(vm, vm), vmmtsegs(vm)->addr);
    assert_true((char *)vm + sizeof(vmr_handle_t) <= vmmtsegs(vm)->base);
    assert_int_equal(vmset(vm, 0, 0) & VM_MEMORYF, VM_MEMORYF);
    bump_close(vm, c);
}

static void nothing_is_left_when_it_fails(void **state)
{
    chk_t *c = chk_new(0, CHK_MALLOC, CHK_REFUSE);
    int before = regions();
    size_t busy;
    Vmstat_t st;

    (void)state;
    vmstat(Vmheap, &st);
    busy = st.n_busy;
    c->failat = 1;
    errno = 0;
    assert_null(vmopen(&c->disc, BUMP, 0));
    assert_int_equal(errno, ENOMEM);
    bump_fail = VM_METHOPEN;
    assert_null(vmopen(&c->disc, BUMP, 0));
    assert_int_equal(errno, EIO);
    assert_null(vmopen(&c->disc, BUMP, VM_MEMORYF));
    bump_fail = 0;
    assert_int_equal(c->frees, 2);
    assert_int_equal(regions(), before);
    vmstat(Vmheap, &st);
    assert_int_equal(st.n_busy, busy);
    bump_done(c);
    assert_true(vmr_index_check() >= 0);
}

/* Close a region that keeps its memory, and come back. */
static void attaches_again(int flags)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, flags), *first = vm;
    char *p = vmalloc(vm, 5000), *q = vmalloc(vm, 50000);
    Vmethod_t other = bump_method;
    void *data = vmdata(vm);

    c->onevent = onopen;
    answer = 1;
    setobj = data;
    errno = 0;
    assert_null(vmopen(&c->disc, BUMP, flags)); /* it is open */
    assert_int_equal(errno, EBUSY);
    vmos_lock(&vmr_listlock);
    vmr_unlink(vm);
    vmos_unlock(&vmr_listlock);
    vmr_index_purge(vmr_handle(vm)); /* as if another process had made it */
    ((Vmdata_t *)data)->lock.word = 1; /* one died with it */
    if (!(flags & VM_MEMORYF))
        vmr_freehandle(vmr_handle(vm));
    other.meth = VM_MTBEST;
    assert_null(vmopen(&c->disc, &other, 0));
    assert_int_equal(errno, EINVAL);
    setobj = (char *)data + VM_ALIGN;
    assert_null(vmopen(&c->disc, BUMP, 0));
    setobj = NULL;
    assert_null(vmopen(&c->disc, BUMP, 0));
    setobj = data;
    vm = vmopen(&c->disc, BUMP, 0);
    answer = 0;
    setobj = NULL;
    assert_non_null(vm);
    assert_true(!(flags & VM_MEMORYF) || vm == first);
    assert_ptr_equal(vmdata(vm), data);
    assert_ptr_equal(vmregion(p), vm);
    assert_ptr_equal(vmregion(q), vm);
    assert_int_equal(bump_of(vm)->events[VM_METHATTACH], 1);
    assert_int_equal(vmstat(vm, NULL), 0);
    bump_close(vm, c);
}

static void attaches(void **state)
{
    (void)state;
    attaches_again(0);
    attaches_again(VM_MEMORYF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_nonsense),       cmocka_unit_test(refuses_memory_of_devices),
        cmocka_unit_test(ignores_unknown_flags),  cmocka_unit_test(keeps_errno_and_the_order),
        cmocka_unit_test(any_address_will_do),    cmocka_unit_test(handler_refuses),
        cmocka_unit_test(handle_in_the_region),   cmocka_unit_test(nothing_is_left_when_it_fails),
        cmocka_unit_test(attaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
