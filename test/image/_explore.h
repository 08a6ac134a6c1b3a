/* SPDX-License-Identifier: MIT */
/*
 * The explorer of power cuts: a life of a file is recorded, write by write and sync by sync, and for every
 * moment of it the states are made that a disk may then be in: what was synced is there; of each write after
 * the last sync any sectors may be, in whatever order they came.  Who includes this records the life, notes
 * where each commit began and ended, and looks at the states: check().
 * Ideas: ALICE (Pillai et al., OSDI 2014); SQLite's crash tests.
 */
#ifndef TEST_IMAGE_EXPLORE_H
#define TEST_IMAGE_EXPLORE_H 1

#include "_test.h"

#include <signal.h>
#include <sys/mman.h>

#define MOST ((size_t)64 << 20) /* bytes of the file */
#define SECTOR ((uint64_t)512)

/* What is wrong with the file "other", which is in one of the states; NULL: nothing. */
static const char *check(void);

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

/* A write, and what was written. */
static void record_write(const void *buf, size_t n, uint64_t off)
{
    event_t *e = record(WRITE, off, n);
    e->data = malloc(n);
    assert_non_null(e->data);
    memcpy(e->data, buf, n);
}

static void forget(void)
{
    while (nevents > 0)
        free(events[--nevents].data);
    unlink(file);
}

static uint64_t seed;
static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
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

/* Sectors of the disk that a write touches, and its bytes in [from, to) of them. */
static uint64_t spread(const event_t *e)
{
    return (e->off % SECTOR + e->n + SECTOR - 1) / SECTOR;
}

static void sectors(const event_t *e, uint64_t from, uint64_t to)
{
    uint64_t in = e->off % SECTOR, a = from * SECTOR, b = to * SECTOR < in + e->n ? to * SECTOR - in : e->n;
    a = a > in ? a - in : 0;
    if (from < to && a < b)
        put(e->data + a, e->off + a, b - a);
}

static uint64_t spoiler; /* what writes begin with that may lose with them what the sector had where they begin */

static void spoil(const event_t *e)
{
    char junk[SECTOR];
    if (spoiler == 0 || e->n < sizeof spoiler || memcmp(e->data, &spoiler, sizeof spoiler) != 0)
        return;
    memset(junk, 0xa5, sizeof junk);
    put(junk, e->off - e->off % SECTOR, e->off % SECTOR);
}

enum { ALL, NOTHING, TORN, FIRST, BUT_FIRST, BUT_LAST, PREFIX, SUFFIX, SINGLE, BUT_ONE, SOME, WAYS };

static int atomic; /* sectors are never torn */

static void apply(const event_t *e, int way)
{
    uint64_t n = spread(e), k, i;
    char none[4096] = "";
    if (way == NOTHING || (way == TORN && atomic) || (e->kind != WRITE && e->kind != CUT && e->kind != PUNCH))
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
        k = 8 * (draw(2) ? draw(16) : draw((e->n < SECTOR ? e->n : SECTOR) / 8));
        put(e->data, e->off, k < e->n ? k : e->n);
        spoil(e);
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

/* ---- looking at a state ---- */

static long newest, oldest; /* lengths that are allowed: oldest, or those of commits up to newest */
static int born;            /* the first commit had ended */
static long lengths[4096];
static int nlengths;
static size_t nstates;
static int reading; /* a state is being looked at */
static int astray;  /* a bug was put in that may lead the reader astray: each time in a process of its own */
static size_t nhung;     /* of these did not end in time: that is no answer, for the machine may be busy */
static int loose;   /* a commit that returned need not be on the disk before the next sync is */

static int allowed(long n)
{
    int i;
    for (i = 0; i < nlengths; i++)
        if (lengths[i] == n)
            return n >= oldest && n <= newest;
    return 0;
}

static const char *check_apart(void)
{
    int state = 0;
    pid_t child;
    nstates++;
    if (!astray)
        return check();
    child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        for (int s = 1; s < 16; s++)
            signal(s, SIG_DFL); /* cmocka's handlers go on with the next test */
        alarm(20);
        _exit(check() != NULL);
    }
    assert_true(child > 0 && waitpid(child, &state, 0) == child);
    if (WIFSIGNALED(state) && WTERMSIG(state) == SIGALRM)
        return nhung++, NULL;
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
        else if (events[i].kind == PUNCH)
            wrong = one_state(from, to, i, NOTHING, ALL);
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

/* The commits up to this one must be there from now on. */
static void must_last(long n)
{
    oldest = n;
    born = 1;
}

/* All of the life that was recorded; about so many states. */
static const char *explore(size_t states)
{
    size_t to, from = 0, moments = nevents;
    long ended = -1;
    const char *wrong = NULL;
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
    lengths[0] = 0; /* a file that was not made yet is an empty one */
    nlengths = 1;
    newest = oldest = 0;
    for (to = 1; wrong == NULL && to <= nevents; to++) {
        const event_t *e = &events[to - 1];
        if (e->kind == SYNC) {
            settle(from, to);
            from = to;
            if (ended >= 0)
                must_last(ended);
        } else if (e->kind == BEGIN || e->kind == END) {
            newest = e->length;
            ended = e->kind == END ? e->length : ended;
            if (e->kind == END && !loose)
                must_last(ended);
            if (lengths[nlengths - 1] != e->length)
                lengths[nlengths++] = e->length;
        }
        if (to > from)
            wrong = moment(from, to, states > nstates ? (states - nstates) / (moments - to + 1) : 0);
    }
    if (wrong != NULL && !astray)
        printf("cut before event %zu of %zu, synced up to %zu: %s\n", to - 1, nevents, from, wrong);
    close(disk);
    unlink(other);
    free(sure);
    return wrong;
}

/* VM_STATES and VM_SEED in the environment say how many states, and which. */
static size_t wanted(size_t n)
{
    const char *s = getenv("VM_STATES");
    return s != NULL ? (size_t)strtoul(s, NULL, 10) : n;
}

static void sow(void)
{
    const char *s = getenv("VM_SEED");
    seed = s != NULL ? strtoul(s, NULL, 10) * 2654435761u + 1 : 20261122;
}

#endif
