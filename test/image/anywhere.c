/* SPDX-License-Identifier: MIT */
/*
 * VM_IMGANYWHERE: images whose addresses are taken are opened at others, by each method, for writing and for
 * reading; all that the library has in them goes on there, what the program has in offsets is whole, and the
 * first commit takes it all along or nothing.
 */
#include "_test.h"

#include <signal.h>
#include <sys/mman.h>

#include <vmalloc/method.h>
#include <vmalloc/share.h>

/* ---- a table in offsets: blocks of one size or of many, each with what must be in it ---- */

enum { SLOTS = 4096 };

typedef struct table {
    vmoff_t slot[SLOTS]; /* to blocks, 0: none */
    long seed;
    size_t fixed;        /* size of all blocks, 0: of many sizes */
} table_t;

static size_t sizeof_block(const table_t *t, unsigned i)
{
    size_t sizes[] = {24, 100, 17, 900, 4096, 48, 20000, 7, 333, 64};
    if (t->fixed != 0)
        return t->fixed;
    return i % 97 == 5 ? 300000 : sizes[(i + (unsigned)t->seed) % 10];
}

static unsigned char byteof(const table_t *t, unsigned i, size_t at)
{
    return (unsigned char)(i * 7 + at * 13 + (size_t)t->seed);
}

static void fill(Vmalloc_t *vm, table_t *t, unsigned i)
{
    size_t n = sizeof_block(t, i), at;
    unsigned char *p = vmalloc(vm, n);
    assert_non_null(p);
    for (at = 0; at < n; at += at < 32 ? 1 : 509)
        p[at] = byteof(t, i, at);
    VMOFF_SET(t->slot[i], p);
}

static int whole(Vmalloc_t *vm, table_t *t)
{
    unsigned i;
    for (i = 0; i < SLOTS; i++) {
        unsigned char *p = VMOFF_GET(unsigned char, t->slot[i]);
        size_t n = sizeof_block(t, i), at;
        if (p == NULL)
            continue;
        if (vmregion(p) != vm || vmaddr(vm, p) != 0 || (!(vm->meth.meth & VM_MTLAST) && vmsize(vm, p) < (long)n))
            return 0;
        for (at = 0; at < n; at += at < 32 ? 1 : 509)
            if (p[at] != byteof(t, i, at))
                return 0;
    }
    return 1;
}

/* A pool's blocks are of one size, so there the table is in several: not at all, but beside it. */
static table_t *make(Vmalloc_t *vm, size_t fixed, unsigned n)
{
    table_t *t;
    unsigned i;
    if (fixed != 0)
        assert_true(fixed >= sizeof(table_t));
    t = vmalloc(vm, fixed != 0 ? fixed : sizeof *t);
    assert_non_null(t);
    memset(t, 0, sizeof *t);
    t->fixed = fixed;
    t->seed = 3;
    for (i = 0; i < n; i++)
        fill(vm, t, i);
    assert_int_equal(vmrootset(vm, "table", t, 5, 6), 0);
    return t;
}

static table_t *table(Vmalloc_t *vm)
{
    Vmroot_t root;
    table_t *t = vmrootget(vm, "table", &root);
    assert_non_null(t);
    assert_ptr_equal(root.value, t);
    assert_true(vmregion(t) == vm);
    return t;
}

/* Free some, make others. */
static void churn(Vmalloc_t *vm, unsigned from, unsigned n)
{
    table_t *t = table(vm);
    int last = vm->meth.meth & VM_MTLAST || vmunder(&vm->meth) == Vmlast;
    unsigned i;
    for (i = from; i < from + n; i++) {
        void *p = VMOFF_GET(void, t->slot[i % SLOTS]);
        if (p != NULL && !last)
            assert_int_equal(vmfree(vm, p), 0);
        fill(vm, t, i % SLOTS);
    }
}

/* ---- places ---- */

static void *basis(Vmalloc_t *vm)
{
    Vmimgstat_t st;
    assert_int_equal(vmimgstat(vm, &st), 0);
    return st.base;
}

static void *home(Vmalloc_t *vm)
{
    Vmimgstat_t st;
    assert_int_equal(vmimgstat(vm, &st), 0);
    return st.home;
}

/* Something is in the way of an image that lies at base. */
static void take(void *base)
{
    void *p = mmap(base, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == base)
        return;
    if (p != MAP_FAILED)
        munmap(p, 65536);
    fail_msg("%p is taken already", base);
}

static void leave(void *base)
{
    assert_int_equal(munmap(base, 65536), 0);
}

static Vmalloc_t *elsewhere(const char *path, unsigned flags, Vmethod_t *meth)
{
    return must_open(path, flags | VM_IMGANYWHERE, meth);
}

/* ---- each method ---- */

static void *first; /* where the image was made */

static void prepare(Vmethod_t *meth, size_t fixed, unsigned n)
{
    Vmalloc_t *vm = must_open(file, 0, meth);
    first = basis(vm);
    make(vm, fixed, n);
    assert_int_equal(vmrootset(vm, "number", (Void_t *)77, 0, 0), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    take(first);
}

/* Readers at other addresses, one after the other and two of them next to a writer at others again. */
static void readers(Vmethod_t *meth)
{
    Vmalloc_t *vm = elsewhere(file, VM_IMGREAD, meth);
    assert_ptr_not_equal(basis(vm), first);
    assert_ptr_equal(home(vm), first);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_ptr_equal(vmrootget(vm, "number", NULL), (Void_t *)77);
    assert_int_equal(vmrollback(vm), 0);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmclose(vm), 0);
}

static void writer(Vmethod_t *meth)
{
    Vmalloc_t *vm = elsewhere(file, 0, meth);
    void *second = basis(vm);
    assert_ptr_not_equal(second, first);
    assert_ptr_equal(home(vm), first);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmdbcheck(vm), 0);
    churn(vm, 100, 200);
    assert_int_equal(vmrollback(vm), 0); /* to what is for the first place */
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmdbcheck(vm), 0);
    churn(vm, 50, 300);
    assert_int_equal(vmcommit(vm), 0);
    assert_ptr_equal(home(vm), second);
    churn(vm, 0, 100);
    assert_int_equal(vmrollback(vm), 0);
    assert_int_equal(whole(vm, table(vm)), 1);
    vmcompact(vm);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmsnapshot(vm, other), 0);
    assert_int_equal(vmclose(vm), 0);
    leave(first);
    vm = must_open(file, 0, meth); /* it lies there now, without being asked */
    assert_ptr_equal(basis(vm), second);
    assert_int_equal(whole(vm, table(vm)), 1);
    churn(vm, 300, 50);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void again(Vmethod_t *meth, size_t fixed, unsigned n)
{
    prepare(meth, fixed, n);
    assert_null(open_image(file, 0, meth));
    assert_int_equal(errno, EADDRINUSE);
    readers(meth);
    writer(meth);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(unlink(other), 0);
}

static void best(void **state)
{
    (void)state;
    again(Vmbest, 0, 3000);
    again(Vmbest, 0, 0);
}

static void last(void **state)
{
    (void)state;
    again(Vmlast, 0, 1000);
}

static void pool(void **state)
{
    (void)state;
    again(Vmpool, sizeof(table_t), 500);
}

static void debug(void **state)
{
    int quiet = open("/dev/null", O_WRONLY);
    (void)state;
    vmdebug(quiet);
    again(Vmdebug, 0, 300);
    again(vmover(Vmdebug, Vmlast), 0, 300);
    again(vmover(Vmdebug, Vmpool), sizeof(table_t), 300);
    vmdebug(2);
    close(quiet);
}

static void profile(void **state)
{
    (void)state;
    again(Vmprofile, 0, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(best, setup, teardown),
        cmocka_unit_test_setup_teardown(last, setup, teardown),
        cmocka_unit_test_setup_teardown(pool, setup, teardown),
        cmocka_unit_test_setup_teardown(debug, setup, teardown),
        cmocka_unit_test_setup_teardown(profile, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
