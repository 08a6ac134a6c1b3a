/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static Vmalloc_t *vm;
static chk_t *c;
static Vmseg_t *seg;
static char *oldend;
static int again;

static void start(size_t round, enum chk_source source, enum chk_growth growth)
{
    c = chk_new(round, source, growth);
    vm = vmopen(&c->disc, BUMP, 0);
    assert_non_null(vm);
    seg = NULL;
    oldend = NULL;
    again = 0;
}

static int extend(size_t need, size_t want)
{
    int got;

    vmmtlock(vm);
    got = vmmtextend(vm, need, want, &seg, &oldend, &again);
    assert_true(vmos_lockedbyme(&vm->data->lock));
    vmmtunlock(vm);
    assert_int_equal(vm->data->extent, c->bytes);
    assert_int_equal(vm->data->nseg, c->nsegs);
    return got;
}

static void finish(void)
{
    bump_close(vm, c);
}

static void new_segment(void **state)
{
    (void)state;
    start(127, CHK_MALLOC, CHK_REFUSE);
    c->odd = 5;
    errno = 4711;
    assert_int_equal(extend(5000, 5000), VM_EXTNEW);
    assert_int_equal(errno, 4711);
    assert_ptr_equal(seg, vmmtsegs(vm));
    assert_null(seg->own);
    assert_true(seg->end - seg->base >= 5000);
    assert_int_equal(c->grows, 1);
    memset(seg->base, 1, (size_t)(seg->end - seg->base));
    assert_ptr_equal(vmregion(seg->base), vm);
    finish();
}

static void grows_in_place(void **state)
{
    Vmseg_t *first;
    char *end;

    (void)state;
    start(4096, CHK_RESERVE, CHK_INPLACE);
    first = vmmtsegs(vm);
    end = first->end;
    assert_null(vmregion(end));
    assert_int_equal(extend(4096, 4096), VM_EXTGROWN);
    assert_ptr_equal(seg, first);
    assert_ptr_equal(oldend, end);
    assert_int_equal(seg->end - end, 4096); /* no more than was needed */
    assert_ptr_equal(vmregion(end), vm);
    finish();
}

static void takes_a_piece_for_growth(void **state)
{
    (void)state;
    start(4096, CHK_MALLOC, CHK_NEWSEG);
    assert_int_equal(extend(3000, 3000), VM_EXTNEW);
    assert_int_equal(c->grows, 1);
    assert_int_equal(seg->extent, 4096);
    assert_int_equal(extend(4096, 4096), VM_EXTNEW); /* 4096 do not hold a header too */
    assert_int_equal(c->grows, 3);
    assert_int_equal(c->frees, 1);
    assert_int_equal(seg->extent, 8192);
    c->keep = 1; /* it does not take the piece back: kept, and still in the books */
    assert_int_equal(extend(4096, 4096), VM_EXTNEW);
    assert_int_equal(c->nsegs, 5);
    c->keep = 0;
    finish();
}

static void wants_more_than_it_needs(void **state)
{
    (void)state;
    start(4096, CHK_MALLOC, CHK_REFUSE);
    assert_int_equal(extend(1000, 100000), VM_EXTNEW);
    assert_true(seg->end - seg->base >= 100000);
    c->maxbytes = c->bytes + 4096;
    assert_int_equal(extend(1000, 100000), VM_EXTNEW);
    assert_int_equal(seg->extent, 4096);
    assert_int_equal(c->nevents, 2); /* no VM_NOMEM */
    finish();
}

static void too_large(void **state)
{
    const size_t huge[] = {SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX - 8192, SIZE_MAX / 2};
    size_t i;

    (void)state;
    start(4096, CHK_MALLOC, CHK_REFUSE);
    for (i = 0; i < 4; i++) {
        errno = 0;
        again = 1;
        assert_int_equal(extend(huge[i], huge[i]), VM_EXTFAIL);
        assert_int_equal(errno, ENOMEM);
    }
    assert_int_equal(extend(100, SIZE_MAX), VM_EXTNEW);
    finish();
}

static int answers[4], nanswers, asked;
static size_t refused;

static int onnomem(chk_t *chk, Vmalloc_t *v, int type, void *obj)
{
    Vmstat_t st;

    if (type != VM_NOMEM)
        return 0;
    assert_int_equal(vmstat(v, NULL), 0);
    assert_int_equal(vmstat(v, &st), 0);
    assert_int_equal(st.extent, chk->bytes);
    refused = (size_t)obj;
    if (asked == nanswers - 1)
        chk->maxbytes = 0;
    return answers[asked++];
}

static void planned(int n, int first, int second)
{
    start(4096, CHK_MALLOC, CHK_REFUSE);
    c->onevent = onnomem;
    c->maxbytes = c->bytes;
    nanswers = n;
    answers[0] = first;
    answers[1] = second;
    asked = 0;
}

static void handler_says(void **state)
{
    (void)state;
    planned(9, -1, 0);
    errno = 0;
    assert_int_equal(extend(5000, 50000), VM_EXTFAIL);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(asked, 1);
    assert_int_equal(refused, 8192);
    finish();
    planned(2, 1, 1); /* ask again, twice */
    assert_int_equal(extend(5000, 5000), VM_EXTNEW);
    assert_int_equal(asked, 2);
    finish();
    planned(9, 0, 0); /* search once more, then no further event */
    errno = 4711;
    assert_int_equal(extend(5000, 5000), VM_EXTRETRY);
    assert_int_equal(errno, 4711);
    assert_int_equal(extend(5000, 5000), VM_EXTFAIL);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(asked, 1);
    finish();
    planned(1, 0, 0);
    assert_int_equal(extend(5000, 5000), VM_EXTRETRY);
    assert_int_equal(extend(5000, 5000), VM_EXTNEW);
    finish();
}

static void no_handler(void **state)
{
    (void)state;
    start(4096, CHK_MALLOC, CHK_REFUSE);
    c->maxbytes = c->bytes;
    c->disc.exceptf = NULL;
    assert_int_equal(extend(5000, 5000), VM_EXTFAIL);
    finish();
}

static void grow_one_segment(void **state)
{
    size_t usable;
    Vmseg_t *s;

    (void)state;
    start(4096, CHK_RESERVE, CHK_INPLACE);
    s = vmmtsegs(vm);
    usable = (size_t)(s->end - s->base);
    vmmtlock(vm);
    assert_int_equal(vmmtgrow(vm, s, usable), 0);
    assert_int_equal(c->grows, 0);
    assert_int_equal(vmmtgrow(vm, s, usable + 1), 0);
    assert_int_equal(s->end - s->base, (long)usable + 4096);
    errno = 0;
    assert_int_equal(vmmtgrow(vm, s, SIZE_MAX), -1);
    assert_int_equal(errno, ENOMEM);
    c->growth = CHK_NEWSEG; /* a piece is no use here */
    assert_int_equal(vmmtgrow(vm, s, usable + 20000), -1);
    assert_int_equal(c->nsegs, 1);
    vmmtunlock(vm);
    assert_int_equal(c->nevents, 2);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_segment),
        cmocka_unit_test(grows_in_place),
        cmocka_unit_test(takes_a_piece_for_growth),
        cmocka_unit_test(wants_more_than_it_needs),
        cmocka_unit_test(too_large),
        cmocka_unit_test(handler_says),
        cmocka_unit_test(no_handler),
        cmocka_unit_test(grow_one_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
