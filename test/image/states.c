/* SPDX-License-Identifier: MIT */
/*
 * Power cuts: a life of an image is recorded call by call, and for every moment of it the states that a
 * disk may then be in are made and opened: what was synced is there; of each write after the last
 * sync any sectors may be, in whatever order they came.  Every state must open to a commit that is not
 * older than the last one that returned, and not newer than the last one that was begun.
 *
 * That the explorer finds what it looks for is tested with bugs put in on purpose: syncs left out, sums
 * not looked at, one superblock instead of two.  Ideas: ALICE (Pillai et al., OSDI 2014); SQLite's crash
 * tests.  (A record's and its list's own sums are not among the bugs: a list that is torn names pages by
 * other sums than they have, so that what they guard is guarded twice.)  VM_STATES in the environment
 * is the number of states instead of that below, VM_SEED the seed.
 */
#include "_test.h"

#include "format.h"
#include "io.h"

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STATES 4000
#else
#define STATES 100000
#endif
#define MOST ((size_t)64 << 20) /* bytes of the file */

/* ---- bugs that are put in ---- */

enum {
    NONE,
    NO_JOURNAL_SYNC, /* of calls */
    NO_HOME_SYNC,
    NO_SUPER_SYNC,
    ONE_SUPER,
    NO_PAGE_SUM, /* of what is believed when a journal is read */
    NO_SUPER_SUM,
    NO_EPOCH,
    BUGS
};
static const char *const bug_names[BUGS] = {
    "none", "the journal is not synced", "places are not synced before the superblock",
    "the superblock is not synced", "there is one superblock",
    "sums of pages are not looked at",
    "a superblock's sum is not looked at", "a record's epoch is not looked at"};
static int bug, reading; /* reading: states are being opened */

/* ---- the recording ---- */

enum { WRITE, CUT, PUNCH, SYNC, BEGIN, END };
typedef struct event {
    int kind;
    uint64_t off, n;
    char *data;
    long length; /* BEGIN, END: of the list */
} event_t;
static event_t *events;
static size_t nevents, maxevents;
static int ours = -1; /* descriptor of the image */

static event_t *record(int kind, uint64_t off, uint64_t n)
{
    if (nevents == maxevents) {
        maxevents = maxevents ? 2 * maxevents : 1024;
        events = realloc(events, maxevents * sizeof *events);
        assert_non_null(events);
    }
    events[nevents] = (event_t){.kind = kind, .off = off, .n = n};
    return &events[nevents++];
}

static uint64_t place_of(uint64_t off)
{
    return bug == ONE_SUPER && off == VMI_SUPER1 ? 0 : off;
}

static int rec_open(const char *path, int flags, int mode)
{
    return ours = vmos_disk_open(path, flags, mode);
}

static int rec_write(int fd, const void *buf, size_t n, uint64_t off)
{
    event_t *e = record(WRITE, place_of(off), n);
    e->data = malloc(n);
    assert_non_null(e->data);
    memcpy(e->data, buf, n);
    return vmos_disk_write(fd, buf, n, place_of(off));
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
    return (bug == NO_JOURNAL_SYNC && magic == VMI_RECORD) ||
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

static int rec_truncate(int fd, uint64_t size)
{
    record(CUT, size, 0);
    return vmos_disk_truncate(fd, size);
}

static int rec_punch(int fd, uint64_t off, uint64_t n)
{
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

static uint64_t seed;
static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* Commits of one size or of many, blocks that come and go, checkpoints, pages that become free, and an
 * opening in the middle.  Ends without vmclose(), as programs do that die. */
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
            vm = vmimage(file, &opt);
            if (vm == NULL)
                fail_msg("%s", opt.why);
            if (i == 0)
                record(END, 0, 0)->length = 0;
        }
        push(vm, even ? 40 : 1 + (long)draw(300));
        if (*h != NULL)
            *h = (vmfree(vm, *h), NULL);
        else if (!even)
            memset(*h = vmalloc(vm, 5000 + draw(30000)), 7, 5000);
        if (draw(9) == 0)
            vmcompact(vm);
        commit(vm);
        if (i % 16 == 15) {
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
    io.punch = rec_punch;
    return &io;
}

/* ---- states ---- */

static char *sure;      /* what is on the disk at the last sync */
static uint64_t size;   /* how long the file is then */
static int disk = -1;   /* the file in which states are made */
/* What a state and its opening touched of it; in memory that a child shares. */
static struct span {
    uint64_t low, high;
} *span;

static void touched(uint64_t off, uint64_t n)
{
    span->low = off < span->low ? off : span->low;
    span->high = off + n > span->high ? off + n : span->high;
}

static void put(const void *data, uint64_t off, uint64_t n)
{
    if (n > 0)
        assert_int_equal(pwrite(disk, data, n, (off_t)off), (ssize_t)n);
    touched(off, n);
}

static uint64_t length_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_size;
}

/* The file is as at the last sync again. */
static void restore(void)
{
    uint64_t end = span->high < size ? span->high : size, low = span->low;
    if (low < end)
        assert_int_equal(pwrite(disk, sure + low, end - low, (off_t)low), (ssize_t)(end - low));
    if (length_of(disk) != size)
        assert_int_equal(ftruncate(disk, (off_t)size), 0);
    *span = (struct span){UINT64_MAX, 0};
}

static int zeros(const event_t *e)
{
    return e->data[0] == 0 && memcmp(e->data, e->data + 1, e->n - 1) == 0;
}

/* Zeros behind the end make the file longer and no more. */
static int longer(const event_t *e)
{
    if (e->n < 65536 || e->off < size || !zeros(e))
        return 0;
    if (length_of(disk) < e->off + e->n)
        assert_int_equal(ftruncate(disk, (off_t)(e->off + e->n)), 0);
    return 1;
}

/* Sectors [from, to) of a write. */
static void sectors(const event_t *e, uint64_t from, uint64_t to)
{
    uint64_t a = from * VMI_SECTOR, b = to * VMI_SECTOR < e->n ? to * VMI_SECTOR : e->n;
    if (a < b)
        put(e->data + a, e->off + a, b - a);
}

enum { ALL, NOTHING, TORN, FIRST, BUT_FIRST, BUT_LAST, PREFIX, SUFFIX, SINGLE, BUT_ONE, SOME, WAYS };

static void apply(const event_t *e, int way)
{
    uint64_t n = (e->n + VMI_SECTOR - 1) / VMI_SECTOR, k, i;
    char none[4096] = "";
    if (way == NOTHING || (e->kind != WRITE && e->kind != CUT && e->kind != PUNCH))
        return;
    if (e->kind == CUT) {
        uint64_t was = length_of(disk);
        touched(e->off < was ? e->off : was, e->off < was ? was - e->off : e->off - was);
        assert_int_equal(ftruncate(disk, (off_t)e->off), 0);
        return;
    }
    if (e->kind == PUNCH) {
        for (k = 0; k < e->n && e->off + k < length_of(disk); k += sizeof none)
            put(none, e->off + k, e->n - k < sizeof none ? e->n - k : sizeof none);
        return;
    }
    if (longer(e))
        return;
    k = draw(n);
    switch (way) {
    case ALL: sectors(e, 0, n); break;
    case TORN: /* not even the first sector is whole */
        put(e->data, e->off, 8 * (draw(2) ? draw(16) : draw((e->n < VMI_SECTOR ? e->n : VMI_SECTOR) / 8)));
        break;
    case FIRST: sectors(e, 0, 1); break;
    case BUT_FIRST: sectors(e, 1, n); break;
    case BUT_LAST: sectors(e, 0, n - 1); break;
    case PREFIX: sectors(e, 0, k); break;
    case SUFFIX: sectors(e, k, n); break;
    case SINGLE: sectors(e, k, k + 1); break;
    case BUT_ONE: sectors(e, 0, k), sectors(e, k + 1, n); break;
    default:
        for (i = 0; i < n; i++)
            if (draw(2))
                sectors(e, i, i + 1);
    }
}

/* ---- opening a state ---- */

static long newest, oldest; /* lengths that are allowed: oldest, or those of commits up to newest */
static int born;            /* the image had been made */
static long lengths[4096];
static int nlengths;
static size_t nstates;
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
    if (bug == NO_EPOCH && n == sizeof *r && r->magic == VMI_RECORD)
        r->epoch = epoch;
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
        return bug == NO_EPOCH ? head.listsum : sum;
    }
    if (bug != NO_PAGE_SUM || list == NULL)
        return sum;
    while (at < head.count && (list[at].page & VMI_KIND) != VMI_INLINE)
        at++;
    return at < head.count ? list[at++].hash : sum;
}

static int allowed(long n)
{
    int i;
    for (i = 0; i < nlengths; i++)
        if (lengths[i] == n)
            return n >= oldest && n <= newest;
    return 0;
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
    else if (deep && vmdbcheck(vm) != 0)
        wrong = "the region is damaged";
    vmclose(vm);
    return wrong;
}

/* Every tenth state is opened to be written, with a crash in the middle of that first. */
static const char *check(void)
{
    const char *wrong = look(VM_IMGREAD | VM_IMGEXIST, nstates % 16 == 0);
    if (wrong != NULL || nstates % 10 != 0)
        return wrong;
    stopat = 1 + (long)draw(6);
    nwrites = 0;
    look(VM_IMGEXIST, 0);
    stopat = 0;
    wrong = look(VM_IMGEXIST, 1);
    return wrong != NULL ? wrong : look(VM_IMGREAD | VM_IMGEXIST, 0);
}

/* A process of its own each time, when a bug may lead it astray; else in this one. */
static const char *check_apart(void)
{
    int state = 0;
    pid_t child;
    nstates++;
    if (bug == NONE)
        return check();
    child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        alarm(10);
        _exit(check() != NULL);
    }
    assert_true(child > 0 && waitpid(child, &state, 0) == child);
    return state != 0 ? "found" : NULL;
}

/* ---- going through the moments ---- */

static const char *one_state(size_t from, size_t to, size_t odd, int way, int others)
{
    const char *wrong;
    size_t i;
    for (i = from; i < to; i++)
        apply(&events[i], i == odd ? way : others == WAYS ? (int)draw(WAYS) : others);
    reading = 1;
    wrong = check_apart();
    reading = 0;
    restore();
    return wrong;
}

/* All the states that are worth it, and then some at random, of a cut before event `to`. */
static const char *moment(size_t from, size_t to, size_t random)
{
    const char *wrong = one_state(from, to, to, 0, ALL);
    size_t i, n = to - from > 6 ? 6 : to - from, k;
    int way;
    if (wrong == NULL)
        wrong = one_state(from, to, to, 0, NOTHING);
    for (k = 0; wrong == NULL && k < n; k++) {
        i = to - 1 - k;
        if (events[i].kind == WRITE)
            for (way = NOTHING; wrong == NULL && way <= BUT_LAST; way++)
                wrong = one_state(from, to, i, way, ALL);
    }
    for (k = 0; wrong == NULL && k < random; k++)
        wrong = draw(2) ? one_state(from, to, to - 1 - draw(to - from), (int)draw(WAYS), ALL)
                        : one_state(from, to, to, 0, WAYS);
    return wrong;
}

/* What was synced is what the disk has. */
static void settle(size_t from, size_t to)
{
    size_t i;
    for (i = from; i < to; i++) {
        const event_t *e = &events[i];
        assert_true(e->off + e->n <= MOST);
        if (e->kind == WRITE)
            memcpy(sure + e->off, e->data, e->n);
        else if (e->kind == PUNCH)
            memset(sure + e->off, 0, e->n);
        else if (e->kind == CUT && e->off < size)
            memset(sure + e->off, 0, size - e->off);
        if (e->kind == CUT)
            size = e->off;
        else if (e->kind == WRITE && e->off + e->n > size)
            size = e->off + e->n;
        if (e->kind == WRITE || e->kind == PUNCH)
            put(sure + e->off, e->off, e->n);
        else if (e->kind == CUT)
            assert_int_equal(ftruncate(disk, (off_t)e->off), 0);
    }
    restore();
}

static const char *explore(size_t states)
{
    size_t to, from = 0, moments = nevents;
    const char *wrong = NULL;
    vmi_io = checking();
    disk = open(other, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(disk >= 0);
    sure = calloc(1, MOST);
    assert_non_null(sure);
    if (span == NULL)
        span = mmap(NULL, sizeof *span, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(span != MAP_FAILED);
    *span = (struct span){UINT64_MAX, 0};
    size = 0;
    born = 0;
    lengths[0] = 0; /* an image that was not made yet is an empty one */
    nlengths = 1;
    newest = oldest = 0;
    for (to = 1; wrong == NULL && to <= nevents; to++) {
        const event_t *e = &events[to - 1];
        if (e->kind == SYNC) {
            settle(from, to);
            from = to;
        } else if (e->kind == BEGIN || e->kind == END) {
            newest = e->length;
            oldest = e->kind == END ? e->length : oldest;
            born |= e->kind == END;
            if (lengths[nlengths - 1] != e->length)
                lengths[nlengths++] = e->length;
        }
        if (to > from)
            wrong = moment(from, to, states > nstates ? (states - nstates) / (moments - to + 1) : 0);
    }
    if (wrong != NULL && bug == NONE)
        printf("cut before event %zu of %zu, synced up to %zu: %s\n", to - 1, nevents, from, wrong);
    close(disk);
    unlink(other);
    free(sure);
    vmi_io = &vmi_system;
    return wrong;
}

static void forget(void)
{
    while (nevents > 0)
        free(events[--nevents].data);
    unlink(file);
}

static const char *run(int commits, int even, size_t journal, size_t states)
{
    const char *wrong;
    nstates = 0;
    vmi_io = recording();
    live(commits, even, journal);
    wrong = explore(states);
    forget();
    return wrong;
}

static size_t wanted(void)
{
    const char *s = getenv("VM_STATES");
    return s != NULL ? (size_t)strtoul(s, NULL, 10) : STATES;
}

static void begin(void)
{
    const char *s = getenv("VM_SEED");
    seed = s != NULL ? strtoul(s, NULL, 10) * 2654435761u + 1 : 20261122;
    bug = NONE;
}

static void test_every_state_opens_to_a_commit(void **state)
{
    size_t n = wanted(), all = 0;
    (void)state;
    begin();
    for (int round = 0; all < n; round++) {
        const char *wrong = run(24, round % 2, round % 4 < 2 ? 40000 : 400000, n / 4);
        all += nstates;
        if (wrong != NULL)
            fail_msg("%s", wrong);
    }
    printf("%zu states\n", all);
}

static void test_bugs_put_in_on_purpose_are_found(void **state)
{
    (void)state;
    const char *one = getenv("VM_BUG");
    for (int b = one != NULL ? atoi(one) : NONE + 1; b < BUGS; b++) {
        const char *found = NULL;
        begin();
        bug = b;
        for (int round = 0; found == NULL && round < 4; round++)
            found = run(20, round % 2, 40000, 2000);
        bug = NONE;
        vmi_io = &vmi_system;
        if (found == NULL)
            fail_msg("not found: %s", bug_names[b]);
        printf("found after %zu states: %s\n", nstates, bug_names[b]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_state_opens_to_a_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bugs_put_in_on_purpose_are_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
