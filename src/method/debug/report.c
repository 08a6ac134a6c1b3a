/* SPDX-License-Identifier: MIT */
/*
 * report: the one exit for errors: are they suppressed, were they told before, are there too many;
 * then they are written in the form that was asked for.
 *
 * One thread at a time reports, under a lock that is given up on after some seconds: a thread that was
 * stopped in its report does not stop the others.  Who reports while reporting (an error within a
 * report) and who cannot wait any longer writes a plain line.  Each report is one write().
 */
#include "report.h"

#include <errno.h>
#include <string.h>

vmdg_options_t vmdg_options = {
    .level = VMDG_FENCE,
    .exitcode = -1,
    .leaks = -1,
    .limit = 100,
    .depth = 16,
    .quarantine = (size_t)16 << 20,
    .age = 65536,
    .period = 100000,
};

#define BUFFER ((size_t)64 << 10)
#define FOLDED 4096u /* different errors that are remembered */
#define PATIENCE 10000 /* milliseconds */

static vmos_lock_t lock;
static char *buffer;
static unsigned number;  /* reports told */
static uint64_t seen[FOLDED];
static int ready;

VMOS_NOINLINE void vmdbwarn(void)
{
    __asm__ volatile("");
}

/* ---- the lock ---- */

int vmdg_report_enter(void)
{
    uint64_t since = vmos_coarsetime();
    if (vmos_lockedbyme(&lock))
        return -1;
    while (vmos_trylock(&lock) != 0) {
        if (vmos_coarsetime() - since > PATIENCE)
            return -1;
        vmos_yield();
    }
    if (buffer == NULL)
        buffer = vmos_map(NULL, BUFFER, 0);
    if (buffer != NULL)
        return 0;
    vmos_unlock(&lock);
    return -1;
}

void vmdg_report_leave(void)
{
    vmos_unlock(&lock);
}

void vmdg_report_renew(void)
{
    lock = (vmos_lock_t){0, 0};
}

vmb_out_t vmdg_report_buffer(void)
{
    vmb_out_t o;
    vmb_out_init(&o, buffer, BUFFER);
    return o;
}

/* ---- where reports go ---- */

int vmdg_report_colour(void)
{
    const char *no = vmos_getenv("NO_COLOR");
    return vmdg_options.format == VMDG_READABLE && (no == NULL || *no == '\0') &&
           vmos_isterminal(__atomic_load_n(&vmb_faultfd, __ATOMIC_RELAXED));
}

/* A program may have closed our descriptor among all others. */
void vmdg_report_write(const vmb_out_t *o)
{
    int fd = __atomic_load_n(&vmb_faultfd, __ATOMIC_RELAXED);
    if (fd < 0 || o->len == 0)
        return;
    if (vmos_write(fd, o->buf, o->len) != 0 && errno == EBADF && fd != 2)
        vmos_write(2, o->buf, o->len);
}

static void plain(const vmdg_error_t *e)
{
    char text[400];
    vmb_out_t o;
    vmb_out_init(&o, text, sizeof text);
    vmdg_sentence(&o, e);
    vmb_fault("%s", text);
}

/* ---- suppressions ---- */

static void suppressions(void)
{
    static char text[65536];
    const char *path = vmdg_options.suppress;
    unsigned line = 0;
    long n;
    vmdg_suppress_parse(vmdg_suppress_default, strlen(vmdg_suppress_default), &line);
    if (path[0] == '\0')
        return;
    n = vmos_readfile(path, text, sizeof text);
    if (n < 0)
        vmb_fault("suppressions: %s cannot be read", path);
    else if (vmdg_suppress_parse(text, (size_t)n, &line) < 0)
        vmb_fault("suppressions: %s, line %u: not understood", path, line);
    else if ((size_t)n == sizeof text)
        vmb_fault("suppressions: %s: only its first %zu bytes were read", path, sizeof text);
}

void vmdg_report_prepare(void)
{
    if (ready)
        return;
    ready = 1;
    suppressions();
}

/* By the stack of the access, or of the allocation. */
static int suppressed(const vmdg_report_t *r)
{
    return (r->at->n != 0 && vmdg_suppressed(r->e->kind, r->at)) ||
           (r->alloc->n != 0 && vmdg_suppressed(r->e->kind, r->alloc));
}

/* ---- repetitions ---- */

/* Whose call found it, when nobody in the program asked, tells nothing. */
static uint32_t tellingstack(const vmdg_error_t *e)
{
    return e->when != VMDG_ATEXIT && e->when != VMDG_ATEVICT ? e->stack : 0;
}

static uint64_t keyof(const vmdg_error_t *e)
{
    uint64_t h = vmb_mix((uint64_t)e->kind << 32 | (uint64_t)e->when << 40 | tellingstack(e));
    h = vmb_mix(h + ((uint64_t)e->block.alloc << 32 | e->block.freed));
    if (tellingstack(e) == 0 && e->block.alloc == 0)
        h = vmb_mix(h + (uintptr_t)e->addr);
    return h | 1;
}

/* Whether such a one was told before; full: it is taken for a new one. */
static int again(uint64_t key)
{
    for (uint64_t i = 0; i < FOLDED; i++) {
        uint64_t *s = &seen[(key + i) % FOLDED];
        if (*s == key)
            return 1;
        if (*s == 0) {
            *s = key;
            return 0;
        }
    }
    return 0;
}

/* ---- a report ---- */

static vmdg_trace_t traces[3];

static int tell(const vmdg_report_t *r)
{
    vmb_out_t o = vmdg_report_buffer();
    switch (vmdg_options.format) {
    case VMDG_JSON:
        vmdg_report_json(&o, r);
        break;
    case VMDG_ORIGINAL:
        vmdg_report_original(&o, r);
        break;
    default:
        vmdg_report_text(&o, r);
        break;
    }
    vmdg_report_write(&o);
    return 1;
}

/* One more that is told, unless there were enough. */
static int permitted(void)
{
    number++;
    if (vmdg_options.limit != 0 && number == vmdg_options.limit + 1)
        vmb_fault("%u errors were told of; further ones are only counted (option limit)",
                  vmdg_options.limit);
    return vmdg_options.limit == 0 || number <= vmdg_options.limit;
}

static void name(vmdg_report_t *r)
{
    const vmdg_error_t *e = r->e;
    uint32_t stacks[] = {tellingstack(e), e->block.alloc, e->block.freed};
    vmdg_frames_want(stacks, 3);
    vmdg_frames(stacks[0], r->at);
    vmdg_frames(e->block.alloc, r->alloc);
    vmdg_frames(e->block.freed, r->freed);
}

/* 1 told, 0 not told, -1 suppressed. */
static int judge(const vmdg_error_t *e)
{
    vmdg_report_t r = {e, number + 1, &traces[0], &traces[1], &traces[2], vmdg_report_colour()};
    int full = vmdg_options.limit != 0 && number >= vmdg_options.limit;
    if (e->kind != VMDG_WATCH && again(keyof(e)))
        return 0;
    vmdg_report_prepare();
    if (!full || vmdg_suppress_asks(e->kind)) {
        name(&r);
        if (suppressed(&r))
            return -1;
    }
    return permitted() ? tell(&r) : 0;
}

int vmdg_report(const vmdg_error_t *e)
{
    int keep = errno, told = 1;
    if (vmdg_report_enter() == 0) {
        told = judge(e);
        vmdg_report_leave();
    } else {
        plain(e);
    }
    errno = keep;
    if (told <= 0)
        return told;
    vmdbwarn();
    if (vmdg_options.abort && e->kind != VMDG_WATCH)
        vmos_abort();
    return 1;
}
