/* SPDX-License-Identifier: MIT */
/*
 * share_head: how an object is laid out; share.h draws it.
 *
 * Whatever the file holds, only numbers that pass vmi_share_valid() are used, and it reads a copy
 * that no other process changes.
 */
#include "share.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char magic[8] = {'v', 'm', 's', 'h', 'a', 'r', 'e', '\n'};

static uint64_t leaves(uint64_t limit)
{
    return (limit + VMB_LEAFSPAN - 1) / VMB_LEAFSPAN;
}

uint64_t vmi_share_data(uint64_t limit)
{
    return VMI_SHEAD + leaves(limit) * VMI_SLEAF;
}

static uint64_t sum(const vmi_shead_t *head)
{
    const unsigned char *p = (const unsigned char *)head;
    uint64_t h = 0x76616c6c6f63u;

    for (size_t i = 0; i < offsetof(vmi_shead_t, sum); i++)
        h = vmb_mix(h + p[i]);
    return h;
}

/* ---- making ---- */

/* Sizes that the layout of what is in it depends on: that of an address, and whether a long has another. */
static uint32_t words(void)
{
    return (uint32_t)(sizeof(void *) | (sizeof(long) == sizeof(void *) ? 0 : sizeof(long) << 8));
}

#define GIB ((uint64_t)1 << 30)
#if UINTPTR_MAX > 0xffffffffu
#define LIMIT (16 * GIB)
#define MOST ((uint64_t)1 << 44)
#else
#define LIMIT (GIB / 8)
#define MOST GIB
#endif

static uint64_t limitof(const Vmshare_t *opt)
{
    uint64_t limit = opt->limit;

    if (limit == 0)
        limit = VMB_MAX(LIMIT, (uint64_t)opt->size * 4);
    limit = VMB_MIN(limit, MOST) + VMI_SHEAD + VMB_LEAFSPAN / 2;
    limit += limit / VMB_LEAFSPAN * VMI_SLEAF;
    return (limit + VMB_LEAFSPAN - 1) / VMB_LEAFSPAN * VMB_LEAFSPAN;
}

int vmi_share_make(vmi_shead_t *head, const Vmshare_t *opt, unsigned meth)
{
    uint64_t limit = limitof(opt);
    uintptr_t base = (uintptr_t)opt->addr;

    if (base == 0)
        base = (uintptr_t)vmmaddress((size_t)limit);
    if (base == 0 || base % VMB_LEAFSPAN != 0 || base > UINTPTR_MAX - limit) {
        errno = base == 0 ? EADDRINUSE : EINVAL;
        return -1;
    }
    memset(head, 0, sizeof *head);
    memcpy(head->magic, magic, sizeof magic);
    head->version = VMI_SVERSION;
    head->order = VMI_SORDER;
    head->word = words();
    head->meth = meth;
    head->base = base;
    head->limit = limit;
    head->data = vmi_share_data(limit);
    head->id = vmos_random();
    head->sum = sum(head);
    return 0;
}

/* ---- finding ---- */

static int no(int e, const char *sentence, char *why, size_t n)
{
    vmb_out_t o;

    vmb_out_init(&o, why, n);
    vmb_printf(&o, "%s", sentence);
    errno = e;
    return -1;
}

/* Another kind of machine, or of library. */
static int ourkind(const vmi_shead_t *head, char *why, size_t n)
{
    if (memcmp(head->magic, magic, sizeof magic) != 0)
        return no(EPROTO, "it is no shared image", why, n);
    if (head->order != VMI_SORDER)
        return no(EPROTO, "its byte order is another one", why, n);
    if (head->version != VMI_SVERSION)
        return no(EPROTO, "its version is another one", why, n);
    if (head->word != words())
        return no(EPROTO, "its words are of another size", why, n);
    if (head->sum != sum(head))
        return no(EUCLEAN, "its head is damaged", why, n);
    return 0;
}

int vmi_share_valid(const vmi_shead_t *head, uint64_t filesize, char *why, size_t n)
{
    if (ourkind(head, why, n) < 0)
        return -1;
    if (head->base == 0 || head->base % VMB_LEAFSPAN != 0 || head->limit == 0 ||
        head->limit % VMB_LEAFSPAN != 0 || head->limit > 2 * MOST ||
        head->base > UINTPTR_MAX - head->limit || head->data != vmi_share_data(head->limit) ||
        head->data >= head->limit || vmos_pagesize() > VMI_SHEAD)
        return no(EUCLEAN, "its head speaks of impossible addresses", why, n);
    if (head->state != VMI_SMADE)
        return 0;
    if (head->size > head->limit - head->data || head->root < head->base + head->data ||
        head->root >= head->base + head->data + head->size)
        return no(EUCLEAN, "its head speaks of what is not in it", why, n);
    if (filesize < head->data + head->size)
        return no(EUCLEAN, "it was cut", why, n);
    return 0;
}

/* ---- memory ---- */

/* The part of leaf k that speaks of [from, to), addresses from base on. */
static int growleaf(int fd, uint64_t k, uint64_t from, uint64_t to)
{
    uint64_t leaf = VMI_SHEAD + k * VMI_SLEAF, start = k * VMB_LEAFSPAN;
    uint64_t lo = VMB_MAX(from, start) - start, hi = VMB_MIN(to, start + VMB_LEAFSPAN) - start;
    uint64_t bits = leaf + VMB_LEAFSIZE * sizeof(void *);

    lo = leaf + (lo >> VMB_PAGESHIFT) * sizeof(void *);
    hi = leaf + ((hi + VMB_PAGE - 1) >> VMB_PAGESHIFT) * sizeof(void *);
    return vmos_object_grow(fd, lo, hi) == 0 ? vmos_object_grow(fd, bits, bits + VMB_PAGE) : -1;
}

int vmi_share_grow(int fd, const vmi_shead_t *head, uint64_t from, uint64_t to)
{
    uint64_t k;

    from += head->data;
    to += head->data;
    if (to > head->limit) {
        errno = ENOMEM;
        return -1;
    }
    for (k = from / VMB_LEAFSPAN; k * VMB_LEAFSPAN < to; k++)
        if (growleaf(fd, k, from, to) < 0)
            return -1;
    return vmos_object_grow(fd, from, to);
}

/* ---- mapping ---- */

static void drop(char *base, uint64_t n)
{
    uint64_t k;

    for (k = 0; k < n; k++)
        vmb_map_drop(base + k * VMB_LEAFSPAN, base + VMI_SHEAD + k * VMI_SLEAF);
}

static int adopt(const vmi_shead_t *head)
{
    uint64_t k, n = leaves(head->limit);
    char *base = (char *)(uintptr_t)head->base;

    for (k = 0; k < n; k++)
        if (vmb_map_adopt(base + k * VMB_LEAFSPAN, base + VMI_SHEAD + k * VMI_SLEAF) < 0) {
            drop(base, k);
            return -1;
        }
    return 0;
}

vmi_shead_t *vmi_share_map(int fd, const vmi_shead_t *head)
{
    void *base = (void *)(uintptr_t)head->base;
    size_t limit = (size_t)head->limit;
    int e;

    if (vmos_object_map(fd, base, limit) == 0) {
        if (adopt(head) == 0)
            return base;
        e = errno;
        vmos_object_unmap(base, limit);
        errno = e;
    }
    if (errno == EEXIST || errno == EINVAL)
        errno = EADDRINUSE;
    return NULL;
}

void vmi_share_unmap(vmi_shead_t *head, size_t limit)
{
    drop((char *)head, leaves(limit));
    vmos_object_unmap(head, limit);
}
