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

/* fixed: a pool's blocks are of one size, and so the table is one, too. */
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

/* A new image, no larger than that there is room for it twice wherever the test runs. */
static Vmalloc_t *fresh(Vmethod_t *meth, size_t limit)
{
    Vmimgopt_t opt = {.meth = meth, .limit = limit};
    Vmalloc_t *vm = vmimage(file, &opt);
    if (vm == NULL)
        fail_msg("%s", opt.why);
    return vm;
}

/* ---- each method ---- */

#define LIMIT ((size_t)(sizeof(void *) > 4 ? 512 : 64) << 20)

static void *first; /* where the image was made */

static void prepare(Vmethod_t *meth, size_t fixed, unsigned n)
{
    Vmalloc_t *vm = fresh(meth, LIMIT);
    first = basis(vm);
    make(vm, fixed, n);
    assert_int_equal(vmrootset(vm, "number", (Void_t *)77, 0, 0), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    take(first);
}

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

/* ---- what else lies in an image ---- */

/* A process that dies with a region open in a block of the image, and leaves words of the page map for it. */
static void leave_a_region(void)
{
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        Vmalloc_t *vm = fresh(NULL, LIMIT), *in = vmopen(vmdcderive(vm, 0, 0), Vmbest, 0);
        int i;
        for (i = 0; i < 1000 && in != NULL; i++)
            if (vmalloc(in, 500) == NULL)
                _exit(2);
        if (in != NULL && vmcommit(vm) == 0)
            kill(getpid(), SIGKILL);
        _exit(3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Such a region, user data, and what is large. */
static void others(void **state)
{
    Vmalloc_t *vm;
    char *data, *large;
    (void)state;
    leave_a_region();
    vm = must_open(file, 0, NULL);
    data = vmuserdata(vm, 7, 100);
    first = basis(vm);
    assert_non_null(data);
    strcpy(data, "user data");
    assert_non_null(vmuserdata(vm, 8, 1000));
    large = vmalloc(vm, 5 << 20);
    assert_non_null(large);
    large[5000000] = 'x';
    assert_int_equal(vmrootset(vm, "large", large, 0, 0), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    take(first);
    vm = elsewhere(file, 0, NULL);
    assert_string_equal(vmuserdata(vm, 7, 0), "user data");
    assert_non_null(vmuserdata(vm, 8, 0));
    large = vmrootget(vm, "large", NULL);
    assert_int_equal(large[5000000], 'x');
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmfree(vm, large), 0);
    assert_non_null(vmalloc(vm, 6 << 20));
    vmcompact(vm);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    leave(first);
}

static void marks(void **state)
{
    Vmalloc_t *vm = fresh(Vmlast, LIMIT);
    vmoff_t *to;
    char *p;
    (void)state;
    first = basis(vm);
    to = vmalloc(vm, sizeof *to);
    assert_non_null(vmalloc(vm, 200000));
    p = vmmark(vm);
    assert_non_null(p);
    VMOFF_SET(*to, p);
    assert_non_null(vmalloc(vm, 300000));
    assert_non_null(vmmark(vm));
    assert_non_null(vmalloc(vm, 40000));
    assert_int_equal(vmrootset(vm, "to", to, 0, 0), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    take(first);
    vm = elsewhere(file, 0, NULL);
    to = vmrootget(vm, "to", NULL);
    p = VMOFF_GET(char, *to);
    assert_int_equal(vmaddr(vm, p - 100000), 100000);
    assert_int_equal(vmrelease(vm, p), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_non_null(vmalloc(vm, 100));
    assert_int_equal(vmrelease(vm, p), 0);
    assert_int_equal(vmclose(vm), 0);
    leave(first);
}

/* Beyond what one leaf of the page map speaks for. */
static void wide(void **state)
{
    size_t gib = (size_t)1 << (sizeof(void *) > 4 ? 30 : 20), at;
    Vmalloc_t *vm = fresh(NULL, (sizeof(void *) > 4 ? 4 : 24) * gib);
    char *p = vmalloc(vm, 2 * gib + gib / 2), *q;
    (void)state;
    assert_non_null(p);
    first = basis(vm);
    for (at = 0; at < 2 * gib + gib / 2; at += gib / 3)
        p[at] = (char)(at >> 20);
    make(vm, 0, 200); /* behind it */
    assert_int_equal(vmrootset(vm, "wide", p, 0, 0), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    take(first);
    vm = elsewhere(file, 0, NULL);
    p = vmrootget(vm, "wide", NULL);
    for (at = 0; at < 2 * gib + gib / 2; at += gib / 3)
        assert_int_equal(p[at], (char)(at >> 20));
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmdbcheck(vm), 0);
    q = vmalloc(vm, gib / 2);
    assert_non_null(q);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmfree(vm, q), 0);
    assert_int_equal(vmfree(vm, p), 0);
    vmcompact(vm);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    leave(first);
    vm = must_open(file, 0, NULL);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* It goes where it is told, which may be back. */
static void wishes(void **state)
{
    Vmimgopt_t opt = {.flags = VM_IMGANYWHERE};
    Vmalloc_t *vm;
    void *second, *old;
    (void)state;
    prepare(Vmbest, 0, 500);
    old = first;
    vm = elsewhere(file, VM_IMGCLOSE, NULL);
    second = basis(vm);
    assert_int_equal(vmclose(vm), 0);
    leave(old);
    opt.addr = old;
    vm = vmimage(file, &opt);
    assert_non_null(vm);
    assert_ptr_equal(basis(vm), old);
    assert_ptr_equal(home(vm), second);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = elsewhere(file, 0, NULL); /* nothing is in the way: it stays */
    assert_ptr_equal(basis(vm), old);
    assert_int_equal(vmclose(vm), 0);
    take(second);
    opt.addr = second;
    vm = vmimage(file, &opt);
    assert_non_null(vm);
    assert_ptr_equal(basis(vm), old);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmclose(vm), 0);
    leave(second);
}

/* ---- others about ---- */

/* A reader at the first place sees what a writer at another one commits, and the other way round. */
static void next_to_each_other(void **state)
{
    Vmalloc_t *reader, *writer;
    void *at;
    int round;
    (void)state;
    prepare(Vmbest, 0, 300);
    assert_int_equal(rename(file, other), 0);
    writer = elsewhere(other, 0, NULL);
    assert_int_equal(vmsnapshot(writer, file), 0);
    assert_int_equal(vmclose(writer), 0);
    leave(first);
    at = first;
    for (round = 0; round < 3; round++) {
        pid_t pid;
        int status = 0, go[2], went[2];
        char c;
        assert_int_equal(pipe(go) | pipe(went), 0);
        pid = fork();
        if (pid == 0) {
            alarm(60); /* where an assertion fails, the other side shall not wait for good */
            take(at); /* the writer cannot be where the reader is */
            assert_int_equal(read(go[0], &c, 1), 1);
            writer = elsewhere(file, VM_IMGCLOSE, NULL);
            churn(writer, (unsigned)round * 100, 100);
            ((table_t *)table(writer))->slot[SLOTS - 1] = 0;
            assert_int_equal(vmcommit(writer), 0);
            _exit(write(went[1], "x", 1) == 1 && read(go[0], &c, 1) == 1 && vmclose(writer) == 0 ? 0 : 1);
        }
        close(go[0]);
        close(went[1]);
        reader = elsewhere(file, VM_IMGREAD, NULL);
        assert_int_equal(whole(reader, table(reader)), 1);
        assert_int_equal(write(go[1], "x", 1), 1);
        assert_int_equal(read(went[0], &c, 1), 1);
        assert_int_equal(whole(reader, table(reader)), 1);
        assert_int_equal(vmrollback(reader), 0);
        assert_ptr_equal(basis(reader), at);
        assert_ptr_not_equal(home(reader), at);
        assert_int_equal(whole(reader, table(reader)), 1);
        assert_int_equal(vmdbcheck(reader), 0);
        assert_int_equal(write(go[1], "x", 1), 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(vmrollback(reader), 0);
        assert_int_equal(whole(reader, table(reader)), 1);
        at = home(reader);
        assert_int_equal(vmclose(reader), 0);
        close(go[1]);
        close(went[0]);
        if (round == 1) { /* from now on it lies at the first place again */
            Vmimgopt_t opt = {.flags = VM_IMGANYWHERE | VM_IMGCLOSE, .addr = first};
            assert_non_null(writer = vmimage(file, &opt));
            assert_int_equal(vmclose(writer), 0);
            at = first;
        }
    }
}

/* With turns each process has it where it can, and moves what the other one left. */
static void turns(void **state)
{
    enum { ROUNDS = 15 };
    Vmalloc_t *vm;
    pid_t pid;
    int status = 0, i;
    (void)state;
    prepare(Vmbest, 0, 300);
    leave(first);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        take(first);
    }
    vm = elsewhere(file, VM_IMGTURNS, NULL);
    for (i = 0; i < ROUNDS; i++) {
        assert_int_equal(vmturn(vm, 1), 0);
        assert_int_equal(whole(vm, table(vm)), 1);
        churn(vm, (unsigned)i * 20, 30);
        if (i % 5 == 4)
            assert_int_equal(vmrollback(vm), 0);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmturn(vm, 0), 0);
    }
    assert_int_equal(vmclose(vm), 0);
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    vm = elsewhere(file, 0, NULL);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* ---- death ---- */

/* Killed after the move and before its commit, in it, or after it: the old place or the new one, and whole. */
static void killed(void **state)
{
    Vmethod_t *meth[] = {Vmbest, Vmlast, Vmpool};
    Vmalloc_t *vm;
    void *at;
    int round, status, moved = 0, stayed = 0;
    (void)state;
    for (round = 0; round < 45; round++) {
        pid_t pid;
        prepare(meth[round % 3], round % 3 == 2 ? sizeof(table_t) : 0, 200);
        pid = fork();
        if (pid == 0) {
            vm = elsewhere(file, round % 2 ? VM_IMGNOTRACK : 0, NULL);
            churn(vm, 10, 40);
            if (round % 9 > 2 && vmcommit(vm) != 0)
                _exit(3);
            kill(getpid(), SIGKILL);
        }
        if (round % 9 > 5) { /* at a moment of chance */
            usleep((useconds_t)(500 + 700 * (round % 11)));
            kill(pid, SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        leave(first);
        vm = must_open(file, 0, NULL);
        at = basis(vm);
        moved += at != first;
        stayed += at == first;
        if (round % 9 <= 2)
            assert_ptr_equal(at, first);
        if (round % 9 > 2 && round % 9 <= 5)
            assert_ptr_not_equal(at, first);
        assert_int_equal(whole(vm, table(vm)), 1);
        assert_int_equal(vmdbcheck(vm), 0);
        churn(vm, 0, 50);
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmclose(vm), 0);
        assert_int_equal(unlink(file), 0);
    }
    assert_true(moved > 0 && stayed > 0);
}

/* ---- what cannot be ---- */

/* Called instead of vmos_view_reserve(): a system that does not have this address at all.  It says so once, for next
 * to it there may be others that are to be tried: under sanitizers there is but one range of them. */
static const char *missing;
int __real_vmos_view_reserve(void *addr, size_t size);
int __wrap_vmos_view_reserve(void *addr, size_t size);
int __wrap_vmos_view_reserve(void *addr, size_t size)
{
    if (missing == NULL || missing < (char *)addr || missing >= (char *)addr + size)
        return __real_vmos_view_reserve(addr, size);
    missing = NULL;
    errno = ENOMEM;
    return -1;
}

/* An image that was made where addresses have more bits. */
static void no_such_addresses(void **state)
{
    Vmalloc_t *vm;
    (void)state;
    prepare(Vmbest, 0, 100);
    missing = first;
    assert_null(open_image(file, 0, NULL));
    assert_int_equal(errno, ENOMEM);
    missing = first;
    vm = elsewhere(file, 0, NULL);
    assert_null(missing);
    assert_ptr_not_equal(basis(vm), first);
    leave(first);
    assert_int_equal(whole(vm, table(vm)), 1);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* An address in the bookkeeping that leads out of the image, or round in a circle, is not followed. */
static void damaged(void **state)
{
    Vmalloc_t *vm = fresh(NULL, LIMIT);
    void **link;
    int round;
    (void)state;
    make(vm, 0, 300);
    first = basis(vm);
    link = (void **)(void *)((char *)vmuserdata(vm, 7, 16) - 16); /* in front of the area: to the next one */
    assert_ptr_equal(vmregion(link), vm);
    assert_null(*link);
    for (round = 0; round < 3; round++) {
        *link = round == 0 ? (void *)16 : round == 1 ? (void *)link : NULL;
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmclose(vm), 0);
        take(first);
        errno = 0;
        vm = open_image(file, VM_IMGANYWHERE, NULL);
        assert_int_equal(vm != NULL, round == 2);
        assert_int_equal(errno, round == 2 ? 0 : EUCLEAN);
        leave(first);
        if (vm == NULL)
            vm = must_open(file, 0, NULL);
        assert_int_equal(whole(vm, table(vm)), 1);
    }
    assert_int_equal(vmclose(vm), 0);
}

/* Another method below Vmdebug is told before it is asked to move what is not its own. */
static void another_method(void **state)
{
    (void)state;
    prepare(Vmdebug, 0, 30);
    assert_null(open_image(file, VM_IMGANYWHERE, vmover(Vmdebug, Vmlast)));
    assert_int_equal(errno, EPROTO);
    assert_null(open_image(file, VM_IMGANYWHERE, Vmlast));
    assert_int_equal(errno, EPROTO);
    leave(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(best, setup, teardown),
        cmocka_unit_test_setup_teardown(last, setup, teardown),
        cmocka_unit_test_setup_teardown(pool, setup, teardown),
        cmocka_unit_test_setup_teardown(debug, setup, teardown),
        cmocka_unit_test_setup_teardown(profile, setup, teardown),
        cmocka_unit_test_setup_teardown(others, setup, teardown),
        cmocka_unit_test_setup_teardown(marks, setup, teardown),
        cmocka_unit_test_setup_teardown(wide, setup, teardown),
        cmocka_unit_test_setup_teardown(wishes, setup, teardown),
        cmocka_unit_test_setup_teardown(next_to_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(turns, setup, teardown),
        cmocka_unit_test_setup_teardown(killed, setup, teardown),
        cmocka_unit_test_setup_teardown(no_such_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(another_method, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
