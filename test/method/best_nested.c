/* SPDX-License-Identifier: MIT */
/* Regions in blocks of a Vmbest region: what the outer one does must neither touch what the page map
 * knows of the inner ones, nor trust it when they were left without vmclose(). */
#include "_best.h"

#include <vmalloc/discipline.h>

#define SPACE ((size_t)1 << 20)

/* One segment, of all the memory there is. */
typedef struct whole {
    Vmdisc_t disc;
    char *base;
    size_t size;
    int held;
} whole_t;

static void *whole(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    whole_t *w = (whole_t *)disc;
    (void)vm;
    if (addr != NULL && csize == w->size && nsize == 0) {
        w->held = 0;
        return addr;
    }
    if (addr != NULL || w->held || nsize != w->size)
        return NULL;
    w->held = 1;
    return w->base;
}

static int keeping;
static struct {
    Vmalloc_t *in; /* whose block `spare` is freed when memory has run out */
    void *spare;
    int calls;
} asked;

static int keep(Vmalloc_t *vm, int type, void *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    if (type == VM_NOMEM && asked.in != NULL) {
        void *p = asked.spare;
        asked.calls++;
        asked.spare = NULL;
        return p != NULL && vmfree(asked.in, p) == 0 ? 0 : -1;
    }
    return type == VM_CLOSE ? keeping : 0;
}

static whole_t wholeof(void *base, size_t size)
{
    whole_t w = {{whole, keep, size, sizeof(Vmdisc_t)}, base, size, 0};
    return w;
}

typedef struct nest {
    whole_t below, within;
    Vmalloc_t *out, *in;
    char *block; /* of out, that in lies in */
    size_t size;
} nest_t;

/* A region whose last block reaches to its very end, and a region in all of that block. */
static void nest(nest_t *n, char *space)
{
    n->below = wholeof(space, SPACE);
    n->out = vmopen(&n->below.disc, Vmbest, 0);
    assert_non_null(n->out);
    assert_non_null(vmalloc(n->out, 100));
    for (n->size = SPACE; (n->block = vmalloc(n->out, n->size)) == NULL;)
        n->size -= BE_PAGE;
    assert_true(n->block + n->size == space + SPACE);
    n->within = wholeof(n->block, n->size);
    n->in = vmopen(&n->within.disc, Vmbest, 0);
    assert_non_null(n->in);
}

static char *space_new(void)
{
    char *p = vmos_map(NULL, SPACE, 0);
    assert_non_null(p);
    return p;
}

/* The inner region's free run ends where the outer region does, and is not the outer's to cut off. */
static void compacting(void **state)
{
    char *space = space_new(), *p;
    nest_t n;
    (void)state;
    nest(&n, space);
    p = vmalloc(n.in, 100000);
    assert_int_equal(vmcompact(n.out), 0);
    sound(n.in);
    sound(n.out);
    assert_int_equal(vmfree(n.in, p), 0);
    assert_int_equal(vmcompact(n.in), 0);
    assert_int_equal(vmcompact(n.out), 0);
    sound(n.in);
    assert_int_equal(vmclose(n.in), 0);
    sound(n.out);
    assert_int_equal(vmclose(n.out), 0);
    vmos_unmap(space, SPACE);
}

/* The outer one is closed with its memory kept, so the inner one goes on. */
static void kept(void **state)
{
    char *space = space_new(), *p, *q;
    nest_t n;
    (void)state;
    nest(&n, space);
    p = vmalloc(n.in, 100);
    q = vmalloc(n.in, 100000);
    keeping = 1;
    assert_int_equal(vmclose(n.out), 0);
    keeping = 0;
    sound(n.in);
    assert_int_equal(vmsize(n.in, q + 1), -1);
    assert_int_equal(vmfree(n.in, p), 0);
    assert_int_equal(vmfree(n.in, q), 0);
    assert_int_equal(vmclose(n.in), 0);
    assert_null(vmb_map_before(space + SPACE - 1, space));
    vmos_unmap(space, SPACE);
}

/* The buffer of a region is used for something else. */
static void overwritten(void **state)
{
    char *space = space_new(), *p;
    nest_t n;
    (void)state;
    nest(&n, space);
    assert_non_null(vmalloc(n.in, 100));
    assert_non_null(vmalloc(n.in, 100000));
    for (p = n.block; p < n.block + n.size; p += sizeof(void *))
        memcpy(p, &(uintptr_t){0x4141414141414140u & UINTPTR_MAX}, sizeof(void *));
    assert_int_equal(vmcompact(n.out), 0);
    sound(n.out);
    for (p = n.block; p < n.block + n.size; p += BE_PAGE / 2)
        assert_int_equal(vmaddr(n.out, p), p - n.block);
    assert_int_equal(vmfree(n.out, n.block), 0);
    sound(n.out);
    vmclose(n.out);
    vmos_unmap(space, SPACE);
}

/* The block is freed, or shortened, under a region: nothing is known of that any more. */
static void left(void **state)
{
    char *space = space_new(), *p;
    int shorten;
    nest_t n;
    (void)state;
    for (shorten = 0; shorten < 2; shorten++) {
        nest(&n, space);
        assert_non_null(vmalloc(n.in, 100000));
        if (shorten)
            assert_ptr_equal(vmresize(n.out, n.block, 100, 0), n.block);
        else
            assert_int_equal(vmfree(n.out, n.block), 0);
        for (p = n.block + 2 * BE_PAGE; p < space + SPACE - BE_PAGE; p += BE_PAGE)
            assert_null(vmb_map_get(p));
        if (!shorten) {
            assert_ptr_equal(vmregion(n.block + n.size / 2), n.out);
            assert_null(vmalloc(n.in, 10));
        }
        sound(n.out);
        if (!shorten)
            assert_int_equal(vmclose(n.in), 0);
        vmclose(n.out);
        if (shorten)
            assert_int_equal(vmclose(n.in), 0);
    }
    vmos_unmap(space, SPACE);
}

/* The outer one's handler frees a block of the inner one, which asked: that is not locked then. */
static void outer_handler(void **state)
{
    char *space = space_new(), *p, *last = NULL;
    whole_t below = wholeof(space, SPACE);
    Vmalloc_t *out = vmopen(&below.disc, Vmbest, 0);
    Vmalloc_t *in = vmopen(vmdcderive(out, 0, 0), Vmbest, 0);
    size_t size;
    (void)state;
    for (size = 40000; size > 30; size /= 1000) {
        asked.in = in;
        asked.calls = 0;
        asked.spare = NULL;
        while ((p = vmalloc(in, size)) != NULL)
            last = p;
        assert_int_equal(errno, ENOMEM);
        assert_int_equal(asked.calls, 1);
        asked.spare = last;
        assert_non_null(vmalloc(in, size));
        assert_int_equal(asked.calls, 2);
        sound(in);
        sound(out);
    }
    asked.in = NULL;
    assert_int_equal(vmclose(in), 0);
    assert_int_equal(vmclose(out), 0);
    vmos_unmap(space, SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compacting),
        cmocka_unit_test(kept),
        cmocka_unit_test(overwritten),
        cmocka_unit_test(left),
        cmocka_unit_test(outer_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
