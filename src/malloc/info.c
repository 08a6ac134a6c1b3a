/* SPDX-License-Identifier: MIT */
/*
 * info: what programs ask malloc about itself.  Numbers are those of vmstat() for Vmregion, and
 * cost no walk.
 */
#include "fast.h"
#include "info.h"

#define LINE 512

static VMOS_NOINLINE size_t sizeof_block(void *p)
{
    size_t size = 0;
    if (p != NULL)
        vmma_find(p, &size);
    return size;
}

/* Some programs (redis) ask for each block that they take and that they free. */
size_t malloc_usable_size(void *p)
{
    vmbe_lane_t *lane = vmma_lane;
    size_t size = lane->front == Vmregion ? vmbe_sizeto(lane, vmb_map_get(p), p) : 0;
    return VMOS_LIKELY(size != 0) ? size : sizeof_block(p);
}

/* All that can be goes back, whatever pad says. */
int malloc_trim(size_t pad)
{
    Vmalloc_t *vm = vmma_region();
    int e = errno, done;
    (void)pad;
    if (vm == NULL)
        return 0;
    done = (*vm->meth.compactf)(vm, 0) == 0;
    if (vm != Vmheap && (*Vmheap->meth.compactf)(Vmheap, 0) == 0)
        done = 1;
    errno = e;
    return done;
}

/* There is nothing to tune: accepted, not done. */
int mallopt(int param, int value)
{
    (void)param, (void)value;
    return 0;
}

struct mallinfo2 mallinfo2(void)
{
    struct mallinfo2 m = {0};
    Vmstat_t st;
    int e = errno;
    if (vmma_region() != NULL && vmstat(NULL, &st) == 0) {
        m.arena = st.extent;
        m.ordblks = st.n_busy + st.n_free;
        m.uordblks = st.s_busy;
        m.fordblks = st.s_free;
        m.usmblks = st.m_extent;
        m.fsmblks = st.s_cache;
        m.smblks = st.n_cache;
        m.keepcost = st.m_free;
    }
    errno = e;
    return m;
}

/* What does not fit is the largest number that does. */
static int toint(size_t x)
{
    return x < 0x7fffffff ? (int)x : 0x7fffffff;
}

struct mallinfo mallinfo(void)
{
    struct mallinfo2 m = mallinfo2();
    struct mallinfo r = {0};
    r.arena = toint(m.arena);
    r.ordblks = toint(m.ordblks);
    r.smblks = toint(m.smblks);
    r.usmblks = toint(m.usmblks);
    r.fsmblks = toint(m.fsmblks);
    r.uordblks = toint(m.uordblks);
    r.fordblks = toint(m.fordblks);
    r.keepcost = toint(m.keepcost);
    return r;
}

void malloc_stats(void)
{
    Vmstat_t st;
    if (vmma_region() != NULL && vmstat(NULL, &st) == 0)
        vmb_fault("%s, most %zu", st.mesg, st.m_extent);
}

int malloc_info(int options, FILE *stream)
{
    char text[LINE];
    vmb_out_t o;
    Vmstat_t st;
    if (options != 0)
        return EINVAL;
    if (vmma_region() == NULL || vmstat(NULL, &st) < 0)
        return ENOMEM;
    vmb_out_init(&o, text, sizeof(text));
    vmb_printf(&o, "<malloc version=\"vmalloc-1\">\n<heap nr=\"0\">\n");
    vmb_printf(&o, "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n", st.n_free, st.s_free);
    vmb_printf(&o, "<total type=\"busy\" count=\"%zu\" size=\"%zu\"/>\n", st.n_busy, st.s_busy);
    vmb_printf(&o, "<system type=\"current\" size=\"%zu\"/>\n", st.extent);
    vmb_printf(&o, "<system type=\"max\" size=\"%zu\"/>\n</heap>\n</malloc>\n", st.m_extent);
    return fputs(text, stream) < 0 ? EIO : 0;
}
