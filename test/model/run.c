/* SPDX-License-Identifier: MIT */
/*
 * Operations on a region and on its shadow.
 *
 * Contents: a block up to WHOLE bytes is filled all over; of a larger one the first and last WHOLE
 * bytes and some bytes of each page in between, which finds misplaced pages as well.
 */
#include "model.h"

#define WHOLE 8192
#define BIT 48 /* bytes filled in a page of a large block */

typedef struct slot {
    char *p;
    size_t size, got; /* asked for; vmsize() */
    uint64_t id;
} slot_t;

static struct {
    const setup_t *s;
    source_t source;
    Vmalloc_t *vm;
    int best, last, pool;
    slot_t slots[SLOTS];
    slot_t *lastslot; /* Vmlast: the block that can be freed */
    size_t n, bytes;  /* blocks, sum of got */
    size_t psize;     /* of the pool, 0: open */
    uint64_t nextid;
    char wrong[256];
} m;

VMOS_PRINTS(1, 2) static int wrong(const char *format, ...)
{
    va_list args;
    if (m.wrong[0] == 0) {
        va_start(args, format);
        vsnprintf(m.wrong, sizeof m.wrong, format, args);
        va_end(args);
    }
    return -1;
}

static size_t part(size_t from, size_t size)
{
    return from >= size ? size : from;
}

/* fill(): pattern id over [0, size) of p; same(): is it there, for the first n bytes. */
static void fill(char *p, size_t size, uint64_t id)
{
    size_t i;
    if (size <= 2 * WHOLE) {
        pat_fill(p, 0, size, id);
        return;
    }
    pat_fill(p, 0, WHOLE, id);
    for (i = WHOLE; i < size - WHOLE; i += 4096)
        pat_fill(p, i, part(i + BIT, size), id);
    pat_fill(p, size - WHOLE, size, id);
}

static int stretch(const char *p, size_t from, size_t to, uint64_t id)
{
    for (; from < to; from++)
        if ((unsigned char)p[from] != pat_byte(id, from))
            return wrong("byte %zu of the block at %p is not what was written", from,
                         (const void *)p);
    return 0;
}

static int same(const char *p, size_t size, size_t n, uint64_t id)
{
    size_t i, head = size <= 2 * WHOLE ? size : WHOLE;
    if (stretch(p, 0, part(head, n), id) != 0)
        return -1;
    if (head == size)
        return 0;
    for (i = WHOLE; i < size - WHOLE && i < n; i += 4096)
        if (stretch(p, i, part(i + BIT, n), id) != 0)
            return -1;
    return size - WHOLE < n ? stretch(p, size - WHOLE, n, id) : 0;
}

static int overlaps(const char *p, size_t size, const slot_t *but)
{
    size_t i;
    for (i = 0; i < SLOTS; i++) {
        const slot_t *o = &m.slots[i];
        if (o->p != NULL && o != but && p < o->p + o->size && o->p < p + size)
            return wrong("block %p of %zu bytes lies over block %p of %zu", (const void *)p, size,
                         (void *)o->p, o->size);
    }
    return 0;
}

static void forget(slot_t *b)
{
    m.n--;
    m.bytes -= b->got;
    b->p = NULL;
    if (m.lastslot == b)
        m.lastslot = NULL;
}

/* A block that the region gave is right, and gets contents. */
static int admit(slot_t *b, char *p, size_t size, size_t align)
{
    long got = vmsize(m.vm, p);
    if ((uintptr_t)p % VM_ALIGN || (uintptr_t)p % align)
        return wrong("%p is not aligned to %zu", (void *)p, align);
    if (got < (long)size || (m.pool && got != (long)size))
        return wrong("vmsize(%p) is %ld for a block of %zu", (void *)p, got, size);
    if (overlaps(p, m.last ? size : (size_t)got, b) != 0)
        return -1;
    if (vmregion(p) != m.vm || vmregion(p + size - 1) != m.vm)
        return wrong("vmregion(%p) is another", (void *)p);
    if (vmaddr(m.vm, p + size - 1) != (long)size - 1)
        return wrong("vmaddr() of the last byte of %p", (void *)p);
    b->p = p;
    b->size = size;
    b->got = (size_t)got;
    b->id = m.nextid++;
    m.n++;
    m.bytes += b->got;
    m.lastslot = b;
    fill(p, size, b->id);
    return 0;
}

static int refused(const char *call, size_t size)
{
    return m.source.bounded ? 0 : wrong("%s of %zu bytes failed", call, size);
}

static int do_alloc(const op_t *o, slot_t *b)
{
    size_t size = m.pool ? (m.psize ? m.psize : (m.psize = o->size)) : o->size;
    char *p;
    if (b->p != NULL)
        return 0;
    if (o->kind == ALIGN)
        p = (char *)vmalign(m.vm, size, o->align);
    else if (o->type == 7)
        p = (char *)vmresize(m.vm, NULL, size, VM_RSZERO);
    else
        p = (char *)vmalloc(m.vm, size);
    if (p == NULL)
        return refused("an allocation", size);
    if (o->kind == ALLOC && o->type == 7 && pat_notzero(p, 0, size) != size)
        return wrong("byte %zu is not zero in a cleared block", pat_notzero(p, 0, size));
    return admit(b, p, size, o->kind == ALIGN ? o->align : 1);
}

/* A resize that failed changed nothing. */
static int unchanged(const op_t *o, const slot_t *b, size_t size)
{
    long got = vmsize(m.vm, b->p);
    if ((!m.last || b == m.lastslot) && got != (long)b->got)
        return wrong("a resize that failed left vmsize() %ld for %zu", got, b->got);
    if (size <= b->size && !m.pool && (!m.last || b == m.lastslot))
        return wrong("shrinking %zu to %zu failed", b->size, size);
    if (m.pool || !(o->type & (VM_RSCOPY | VM_RSMOVE)))
        return 0;
    return refused("a resize", size);
}

static int do_resize(const op_t *o, slot_t *b)
{
    slot_t old = *b;
    size_t n, size = m.pool && o->type != 6 ? m.psize : o->size;
    int inplace;
    char *p;
    if (b->p == NULL)
        return 0;
    n = part(size, old.size);
    inplace = !m.last || b == m.lastslot;
    p = (char *)vmresize(m.vm, b->p, size, o->type);
    if (p == NULL)
        return unchanged(o, b, size);
    if (p != old.p && !(o->type & (VM_RSCOPY | VM_RSMOVE)))
        return wrong("a resize of type %d moved the block", o->type);
    if (p != old.p && size <= old.size && inplace)
        return wrong("shrinking %zu to %zu moved the block", old.size, size);
    forget(b);
    if ((p == old.p || o->type & VM_RSCOPY) && same(p, old.size, n, old.id) != 0)
        return -1;
    if (o->type & VM_RSZERO && inplace && (p == old.p || o->type & VM_RSCOPY) &&
        pat_notzero(p, n, size) != size)
        return wrong("byte %zu is not zero after %zu -> %zu with RSZERO", pat_notzero(p, n, size),
                     old.size, size);
    return admit(b, p, size, 1);
}

static int do_free(slot_t *b)
{
    int can = !m.last || b == m.lastslot, r;
    if (b->p == NULL)
        return 0;
    if (same(b->p, b->size, b->size, b->id) != 0)
        return -1;
    r = vmfree(m.vm, b->p);
    if (r != 0 && can)
        return wrong("vmfree(%p) is %d", (void *)b->p, r);
    if (r == 0 && !can && m.lastslot != NULL)
        return wrong("vmfree(%p) of an earlier block is 0", (void *)b->p);
    if (r == 0)
        forget(b);
    return 0;
}

static int do_badfree(const op_t *o, const slot_t *b)
{
    if (b->p == NULL)
        return 0;
    if (vmfree(m.vm, b->p + o->type + 1) != -1)
        return wrong("vmfree(%p + %d) is not -1", (void *)b->p, o->type + 1);
    return 0;
}

static int do_clear(void)
{
    if (vmclear(m.vm) != 0)
        return wrong("vmclear() failed");
    memset(m.slots, 0, sizeof m.slots);
    m.lastslot = NULL;
    m.n = m.bytes = m.psize = 0;
    return 0;
}

static int do_check(void)
{
    Vmstat_t st;
    size_t i;
    if (vmdbcheck(m.vm) != 0)
        return wrong("vmdbcheck() is %d", vmdbcheck(m.vm));
    if (vmstat(m.vm, &st) != 0)
        return wrong("vmstat() failed");
    if (!m.last && (st.n_busy != m.n || st.s_busy != m.bytes))
        return wrong("%zu blocks of %zu bytes in vmstat(), %zu of %zu in truth", st.n_busy, st.s_busy,
                     m.n, m.bytes);
    if (st.s_busy + st.s_free > st.extent || st.m_free > st.s_free || st.m_busy > st.s_busy)
        return wrong("busy %zu, free %zu, extent %zu", st.s_busy, st.s_free, st.extent);
    if (m.source.chk && st.extent != m.source.chk->bytes)
        return wrong("extent %zu of %zu", st.extent, m.source.chk->bytes);
    for (i = 0; i < SLOTS; i++)
        if (m.slots[i].p && same(m.slots[i].p, m.slots[i].size, m.slots[i].size, m.slots[i].id) != 0)
            return -1;
    return 0;
}

struct sum {
    size_t n, bytes;
};

static int add(Vmalloc_t *vm, void *addr, size_t size, int busy, void *handle)
{
    struct sum *sum = (struct sum *)handle;
    (void)vm, (void)addr;
    sum->n += (size_t)busy;
    sum->bytes += busy ? size : 0;
    return 0;
}

static int do_walk(void)
{
    struct sum sum = {0, 0};
    if (vmblkwalk(m.vm, add, &sum) != 0)
        return wrong("vmblkwalk() failed");
    if (!m.last && (sum.n != m.n || sum.bytes != m.bytes))
        return wrong("vmblkwalk() sees %zu blocks of %zu bytes, %zu of %zu in truth", sum.n,
                     sum.bytes, m.n, m.bytes);
    return 0;
}

static int step(const op_t *o)
{
    slot_t *b = &m.slots[o->slot];
    switch ((enum kind)o->kind) {
    case ALLOC:
    case ALIGN:
        return do_alloc(o, b);
    case RESIZE:
        return do_resize(o, b);
    case FREE:
        return do_free(b);
    case BADFREE:
        return do_badfree(o, b);
    case CLEAR:
        return do_clear();
    case COMPACT:
        return vmcompact(m.vm) == 0 ? 0 : wrong("vmcompact() failed");
    case CHECK:
        return do_check();
    case WALK:
        return do_walk();
    }
    return 0;
}

static int start(const setup_t *s)
{
    memset(&m, 0, sizeof m);
    m.s = s;
    m.best = strcmp(s->method, "best") == 0;
    m.last = strcmp(s->method, "last") == 0;
    m.pool = strcmp(s->method, "pool") == 0;
    if (method_of(s->method) == NULL || source_open(&m.source, s->discipline) != 0)
        return wrong("no such method or discipline");
    m.vm = vmopen(m.source.disc, method_of(s->method), s->single ? VM_SINGLE : 0);
    return m.vm ? 0 : wrong("vmopen() failed");
}

const char *run_ops(const setup_t *s, const op_t *ops, const size_t *keep, size_t n)
{
    size_t i;
    const char *w;
    if (start(s) != 0)
        return m.wrong;
    for (i = 0; i < n; i++) {
        if (step(&ops[keep[i]]) != 0)
            return m.wrong;
        if (m.source.chk && m.source.chk->error[0])
            return m.source.chk->error;
    }
    if (do_check() != 0 || (vmclose(m.vm) != 0 && wrong("vmclose() failed") != 0))
        return m.wrong;
    w = source_close(&m.source);
    return w;
}
