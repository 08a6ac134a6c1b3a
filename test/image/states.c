/* SPDX-License-Identifier: MIT */
/*
 * Power cuts: every state that the explorer makes of the file of an image must open to a commit that is not
 * older than the last one that returned, and not newer than the last one that was begun.
 *
 * That the explorer finds what it looks for is tested with bugs put in on purpose: syncs left out, sums
 * not looked at, one superblock instead of two.  (A record's own sum is not among the bugs: what it guards is
 * guarded twice.)  lmdb.c is the other control: what is known to be whole.
 */
#include "image.h"

#include "_explore.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(FEWSTATES)
#define STATES 4000
#else
#define STATES 100000
#endif

/* ---- bugs that are put in ---- */

enum {
    NONE,
    NO_JOURNAL_SYNC, /* of calls */
    NO_HOME_SYNC,
    NO_SUPER_SYNC,
    ONE_SUPER,
    STALE,
    NO_STALE_SYNC,
    NO_SUMS,
    SHARES,
    NO_PAGE_SUM, /* of what is believed when a journal is read */
    NO_LIST_SUM,
    NO_SUPER_SUM,
    NO_EPOCH,
    BUGS
};
static const char *const bug_names[BUGS] = {
    "none", "the journal is not synced", "places are not synced before the superblock",
    "the superblock is not synced", "there is one superblock",
    "places behind the last page are not emptied", "that they are is not synced",
    "sums of pages in their places are not written",
    "a record begins in a sector that was synced",
    "sums of pages are not looked at", "the sum of lines is not looked at",
    "a superblock's sum is not looked at", "a record's epoch is not looked at"};
static int bug;

/* Where the sums of the first gigabyte are: behind those of the meta pages, and these. */
#define METASIZE (VMI_METASIZE + vmos_pagesize())
#define SUMSIZE (VMB_LEAFSPAN / vmos_pagesize() * 8)

/* ---- the recording ---- */

static int ours = -1; /* descriptor of the image */

static uint64_t place_of(uint64_t off)
{
    return bug == ONE_SUPER && off == VMI_SUPER1 ? 0 : off;
}

static int rec_open(const char *path, int flags, int mode)
{
    return ours = vmos_disk_open(path, flags, mode);
}

static size_t nstores; /* records that were stored, not written */
static int full; /* the disk, for records: what is written ahead is left in its place */

static int rec_write(int fd, const void *buf, size_t n, uint64_t off)
{
    if (full && n >= sizeof(vmi_record_t) && *(const uint64_t *)buf == VMI_RECORD) {
        errno = ENOSPC;
        return -1;
    }
    if (bug == NO_SUMS && off >= VMI_HOME + METASIZE && off + n <= VMI_HOME + METASIZE + SUMSIZE)
        return 0;
    record_write(buf, n, place_of(off));
    return vmos_disk_write(fd, buf, n, place_of(off));
}

/* Stores reach the disk as writes do: any sectors, in any order. */
static int rec_store(int fd, void *to, const void *from, size_t n, uint64_t off)
{
    if (full)
        return -1;
    record_write(from, n, off);
    nstores++;
    return vmi_system.store(fd, to, from, n, off);
}

/* What the last write was of tells what the sync is for. */
static int dropped(void)
{
    const event_t *e = &events[nevents - 1];
    uint64_t magic = 0;
    while (e > events && e->kind != WRITE)
        e--;
    if (e->kind == WRITE && e->n >= 8)
        memcpy(&magic, e->data, 8);
    for (; e > events && e->kind == WRITE && magic != VMI_RECORD && magic != VMI_MAGIC; e--)
        if (e[-1].kind == WRITE && e[-1].n >= 8)
            memcpy(&magic, e[-1].data, 8); /* room filled behind a record */
    return (bug == NO_STALE_SYNC && events[nevents - 1].kind == PUNCH) ||
           (bug == NO_JOURNAL_SYNC && magic == VMI_RECORD) ||
           (bug == NO_SUPER_SYNC && magic == VMI_MAGIC) ||
           (bug == NO_HOME_SYNC && magic != VMI_MAGIC && magic != VMI_RECORD);
}

static int rec_sync(int fd)
{
    (void)fd;
    if (nevents > 0 && !dropped())
        record(SYNC, 0, 0);
    return 0;
}

static int rec_truncate(int fd, uint64_t to)
{
    record(CUT, to, 0);
    return vmos_disk_truncate(fd, to);
}

static int rec_punch(int fd, uint64_t off, uint64_t n)
{
    if (bug == STALE)
        return 0;
    record(PUNCH, off, n);
    return vmos_disk_punch(fd, off, n);
}

static void commit(Vmalloc_t *vm)
{
    long n = length(vm);
    record(BEGIN, 0, 0)->length = n;
    assert_int_equal(vmcommit(vm), 0);
    record(END, 0, 0)->length = n;
}

/* Pages that nobody writes, but for the end of the last: there is what was before. */
typedef struct zeros {
    char pages[24 * 4096];
    struct zeros *before;
} zeros_t;

static void add_zeros(Vmalloc_t *vm)
{
    zeros_t *z = vmresize(vm, NULL, sizeof *z, VM_RSZERO);
    assert_non_null(z);
    z->before = vmrootget(vm, "zeros", NULL);
    assert_int_equal(vmrootset(vm, "zeros", z, 1, 1), 0);
}

static int all_zeros(Vmalloc_t *vm)
{
    const zeros_t *z = vmrootget(vm, "zeros", NULL);
    for (; z != NULL; z = z->before)
        for (size_t i = 0; i < sizeof z->pages; i += 512)
            if (z->pages[i] != 0)
                return 0;
    return 1;
}

/* A commit that does not succeed, of what would be seen in those. */
static void fail_commit(Vmalloc_t *vm)
{
    char *p = vmalloc(vm, sizeof(zeros_t));
    assert_non_null(p);
    memset(p, 'x', sizeof(zeros_t));
    full = 1;
    assert_int_equal(vmcommit(vm), -1);
    full = 0;
}

static int moving, moved; /* each opening is at other addresses, if there are any; times it was */
#define MOVINGLIMIT ((size_t)64 << 20)

/* The program's own addresses, which nobody else moves. */
static void follow(Vmalloc_t *vm)
{
    Vmimgstat_t st;
    uintptr_t by;
    assert_int_equal(vmimgstat(vm, &st), 0);
    by = (uintptr_t)st.base - (uintptr_t)st.home;
    moved += by != 0;
    for (item_t *it = vmrootget(vm, "list", NULL); it != NULL; it = it->next)
        it->next = it->next != NULL ? (item_t *)((uintptr_t)it->next + by) : NULL;
    for (zeros_t *z = vmrootget(vm, "zeros", NULL); z != NULL; z = z->before)
        z->before = z->before != NULL ? (zeros_t *)((uintptr_t)z->before + by) : NULL;
}

/* Commits of one size or of many, blocks that come and go, checkpoints, pages that become free, and an
 * opening in the middle.  Ends without vmclose(), as programs do that die. */
#define SOMEPAGES ((size_t)20 * 4096)
static int big; /* a commit has more new pages than a record names */

static void live(int commits, int even, size_t journal)
{
    Vmimgopt_t opt;
    Vmalloc_t *vm = NULL;
    void *hole[4] = {NULL};
    int i;
    for (i = 0; i < commits; i++) {
        void **h = &hole[draw(4)];
        if (vm == NULL) {
            memset(&opt, 0, sizeof opt);
            opt.journal = journal;
            opt.safety = loose ? VM_IMGPROCESS : VM_IMGPOWER;
            if (moving) {
                opt.flags = VM_IMGANYWHERE;
                opt.limit = MOVINGLIMIT;
                opt.addr = i > 0 ? vmmaddress(MOVINGLIMIT) : NULL;
            }
            vm = vmimage(file, &opt);
            if (vm == NULL)
                fail_msg("%s", opt.why);
            if (moving && i > 0)
                follow(vm);
            if (i == 0)
                record(END, 0, 0)->length = 0;
        }
        push(vm, even ? 40 : 1 + (long)draw(300));
        if (*h != NULL)
            *h = (vmfree(vm, *h), NULL);
        else if (!even)
            memset(*h = vmalloc(vm, 5000 + draw(30000)), 7, 5000);
        if (big && i == 5)
            memset(*(h = &hole[0]) = vmalloc(vm, 300 * 4096), 9, 300 * 4096);
        if (i % 6 == 4 && *(h = &hole[1]) == NULL) /* more new pages than go into a record */
            memset(*h = vmalloc(vm, SOMEPAGES), 5, SOMEPAGES);
        if (draw(9) == 0)
            vmcompact(vm);
        if (i % 2 || i % 16 == 8) /* also the first after one that failed */
            add_zeros(vm);
        commit(vm);
        for (int k = 0; loose && i % 8 == 1 && k < 3; k++) { /* so small that they are stored */
            push(vm, 1);
            commit(vm);
            if (k == 0 && i % 16 == 1)
                assert_int_equal(vmsync(vm), 0);
            if (bug == SHARES)
                vmi_find(vm)->unsynced = 2;
        }
        if (i % 16 == 7) {
            fail_commit(vm);
            assert_int_equal(vmrollback(vm), 0);
        }
        if (i % (moving ? 4 : 16) == (moving ? 3 : 15)) {
            vmclose(vm);
            vm = NULL;
            memset(hole, 0, sizeof hole);
        }
    }
    if (vm != NULL)
        vmclose(vm);
}

static const vmi_io_t *recording(void)
{
    static vmi_io_t io;
    io = vmi_system;
    io.open = rec_open;
    io.write = rec_write;
    io.sync = rec_sync;
    io.truncate = rec_truncate;
    io.store = rec_store;
    io.punch = rec_punch;
    return &io;
}

/* ---- opening a state ---- */

static long stopat, nwrites; /* the opening's n-th write is its last: a crash in recovery */

static int chk_write(int fd, const void *buf, size_t n, uint64_t off)
{
    if (stopat > 0 && ++nwrites >= stopat) {
        errno = EIO;
        return -1;
    }
    touched(off, n);
    return vmos_disk_write(fd, buf, n, off);
}

static int chk_sync(int fd)
{
    (void)fd;
    return 0;
}

static int chk_truncate(int fd, uint64_t to)
{
    uint64_t was = length_of(fd);
    touched(to < was ? to : was, to < was ? was - to : to - was);
    return vmos_disk_truncate(fd, to);
}

static int chk_punch(int fd, uint64_t off, uint64_t n)
{
    touched(off, n);
    return vmos_disk_punch(fd, off, n);
}

/* With bugs put in, superblocks and records are not as they are. */
static int64_t chk_read(int fd, void *buf, size_t n, uint64_t off)
{
    static uint64_t epoch;
    int64_t got = vmos_disk_read(fd, buf, n, off);
    vmi_super_t *s = buf;
    vmi_record_t *r = buf;
    if (bug == NO_EPOCH && n == sizeof *s && s->magic == VMI_MAGIC && (off == 0 || s->epoch > epoch))
        epoch = s->epoch;
    if (bug == NO_EPOCH && n == sizeof *r && r->magic == VMI_RECORD) {
        r->epoch = epoch;
        r->before = 0;
    }
    return got;
}

static const vmi_io_t *checking(void)
{
    static vmi_io_t io;
    io = vmi_system;
    io.write = chk_write;
    io.sync = chk_sync;
    io.truncate = chk_truncate;
    io.punch = chk_punch;
    io.read = chk_read;
    return &io;
}

uint64_t __real_vmi_sum(const void *from, size_t n, uint64_t seed_of);
uint64_t __wrap_vmi_sum(const void *from, size_t n, uint64_t seed_of);

/* The sum that is expected, where a bug says not to look: it stands behind what is summed, or in the
 * header or the list that were asked for before. */
uint64_t __wrap_vmi_sum(const void *from, size_t n, uint64_t seed_of)
{
    static vmi_record_t head;
    static const vmi_entry_t *list;
    static uint64_t at;
    uint64_t sum = __real_vmi_sum(from, n, seed_of);
    if (!reading || bug < NO_PAGE_SUM)
        return sum;
    if (seed_of == VMI_RECORD) {
        memcpy(&head, from, sizeof head);
        return bug == NO_EPOCH ? head.sum : sum;
    }
    if (seed_of == VMI_MAGIC)
        return bug == NO_SUPER_SUM ? ((const vmi_super_t *)from)->sum : sum;
    if (seed_of != 0) {
        list = from;
        at = 0;
        return bug == NO_EPOCH || bug == NO_LIST_SUM ? head.listsum : sum;
    }
    if (bug != NO_PAGE_SUM || list == NULL)
        return sum;
    while (at < head.count && (list[at].page & VMI_KIND) != VMI_INLINE)
        at++;
    return at < head.count ? list[at++].hash : sum;
}

/* Open and look: 0, or what is wrong. */
static const char *look(unsigned flags, int deep)
{
    Vmimgopt_t opt;
    Vmalloc_t *vm;
    const char *wrong = NULL;
    long n;
    memset(&opt, 0, sizeof opt);
    opt.flags = flags | VM_IMGNOTRACK;
    vm = vmimage(other, &opt);
    if (vm == NULL)
        return born && stopat == 0 ? "it does not open" : NULL;
    n = length(vm);
    if (stopat == 0 && !allowed(n))
        wrong = n < 0 ? "the list is torn" : n < oldest ? "a commit is lost" : "that was never committed";
    else if (deep && !all_zeros(vm))
        wrong = "what nobody wrote is there";
    else if (deep && vmdbcheck(vm) != 0)
        wrong = "the region is damaged";
    else if (deep && n > 0 && (nstates % 64 == 0 || big || bug == NO_SUMS) && vmimagecheck(other, NULL, NULL) != 0)
        wrong = "a page has not its sum";
    vmclose(vm);
    return wrong;
}

/* Every tenth state is opened to be written, with a crash in the middle of that first. */
static const char *check(void)
{
    const char *wrong = look(VM_IMGREAD | VM_IMGEXIST, nstates % 16 == 0 || astray);
    if (wrong != NULL || nstates % 10 != 0)
        return wrong;
    stopat = 1 + (long)draw(6);
    nwrites = 0;
    look(VM_IMGEXIST, 0);
    stopat = 0;
    wrong = look(VM_IMGEXIST, 1);
    return wrong != NULL ? wrong : look(VM_IMGREAD | VM_IMGEXIST, 0);
}

/* ---- the tests ---- */

static const char *run(int commits, int even, size_t journal, size_t states)
{
    const char *wrong;
    nstates = 0;
    vmi_io = recording();
    live(commits, even, journal);
    vmi_io = checking();
    wrong = explore(states);
    vmi_io = &vmi_system;
    forget();
    return wrong;
}

static void begin(void)
{
    sow();
    bug = NONE;
    astray = big = loose = moving = 0;
    nhung = 0;
    spoiler = VMI_RECORD;
}

static void test_every_state_opens_to_a_commit(void **state)
{
    size_t n = wanted(vmos_pagesize() > 4096 ? STATES / 25 : STATES), all = 0; /* larger writes take longer */
    (void)state;
    begin();
    for (int round = 0; all < n; round++) {
        const char *wrong;
        big = round == 0; /* which takes long */
        wrong = run(big ? 7 : 24, round % 2, round % 4 < 2 ? 40000 : 400000, big ? n / 100 : n / 4);
        all += nstates;
        if (wrong != NULL)
            fail_msg("%s", wrong);
    }
    printf("%zu states\n", all);
}

/* Commits that need not survive a cut: one of them is found, and none before the last sync. */
static void test_every_state_opens_to_a_commit_without_syncs(void **state)
{
    size_t n = wanted(vmos_pagesize() > 4096 ? STATES / 100 : STATES / 5), all = 0;
    (void)state;
    begin();
    loose = 1;
    for (int round = 0; all < n; round++) {
        const char *wrong = run(24, round % 2, round % 4 < 2 ? 40000 : 400000, n / 4);
        all += nstates;
        if (wrong != NULL)
            fail_msg("%s", wrong);
    }
    loose = 0;
    printf("%zu states, %zu records stored\n", all, nstores);
    if (nstores == 0)
        print_message("no records are stored on this file system: all were written\n");
}

/* An image that moves: where it lay, or where it went, with all in it. */
static void test_every_state_of_one_that_moves(void **state)
{
    size_t n = wanted(vmos_pagesize() > 4096 ? STATES / 400 : STATES / 40), all = 0;
    (void)state;
    begin();
    moving = 1;
    for (int round = 0; all < n; round++) {
        const char *wrong = run(24, round % 2, round % 4 < 2 ? 40000 : 400000, n / 2);
        all += nstates;
        if (wrong != NULL)
            fail_msg("%s", wrong);
    }
    moving = 0;
    assert_true(moved > 0);
    printf("%zu states\n", all);
}

static void test_bugs_put_in_on_purpose_are_found(void **state)
{
    (void)state;
    const char *one = getenv("VM_BUG");
    if (one == NULL && vmos_pagesize() > 4096)
        skip(); /* the explorer itself is the same, and larger writes take longer */
    for (int b = one != NULL ? atoi(one) : NONE + 1; b < BUGS; b++) {
        const char *found = NULL;
        begin();
        bug = b;
        astray = 1;
        loose = b == SHARES;
        for (int round = 0; found == NULL && round < 4; round++)
            found = run(20, round % 2, 40000, 2000);
        bug = NONE;
        astray = loose = 0;
        if (found == NULL)
            fail_msg("not found: %s; %zu states did not end in time", bug_names[b], nhung);
        printf("found after %zu states: %s\n", nstates, bug_names[b]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_state_opens_to_a_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_state_opens_to_a_commit_without_syncs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_state_of_one_that_moves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bugs_put_in_on_purpose_are_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
