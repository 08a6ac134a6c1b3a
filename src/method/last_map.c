/* SPDX-License-Identifier: MIT */
/*
 * last_map: where blocks of Vmlast start and end, by the map at the end of each part.
 *
 * Cost: reading a byte for each 16 bytes passed, eight at a time going up; what is BIG is passed at
 * once, and is found by its list: it has a 2000th of the part's granules at most.
 */
#include "last.h"

/* The highest that is BIG and starts at or below p, or NULL. */
static const char *bigbelow(const vmla_part_t *part, const char *p)
{
    const char *big = part->big;

    while (big != NULL && big > p)
        big = vmla_bigof(vmla_mapof(part), big)->prev;
    return big;
}

static int within(const vmla_part_t *part, const char *big, const char *p)
{
    return big != NULL && (size_t)(p - big) < vmla_bigof(vmla_mapof(part), big)->n;
}

int vmla_isblock(const vmla_part_t *part, const char *p)
{
    const char *big = bigbelow(part, p);

    if ((uintptr_t)p % VM_ALIGN != 0 || (p != big && within(part, big, p)))
        return 0;
    return (*vmla_code(vmla_mapof(part), p) & VMLA_STARTS) != 0;
}

char *vmla_endof(const vmla_part_t *part, const char *p, const char *fill)
{
    uintptr_t map = vmla_mapof(part);
    const unsigned char *at = vmla_code(map, p), *end = vmla_code(map, fill);
    uint64_t eight;

    if (*at & VMLA_ISBIG)
        return (char *)(uintptr_t)p + vmla_bigof(map, p)->n;
    for (at++; at + sizeof eight <= end; at += sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        if (eight != 0)
            break;
    }
    while (at < end && *at == 0)
        at++;
    return (char *)(((uintptr_t)at - map) << 4);
}

char *vmla_startof(const vmla_part_t *part, const char *p)
{
    const char *big = bigbelow(part, p);
    uintptr_t map = vmla_mapof(part);
    const unsigned char *at = vmla_code(map, p);

    if (within(part, big, p))
        return (char *)(uintptr_t)big;
    while (*at == 0) /* something starts at base, and behind what is BIG */
        at--;
    return (char *)(((uintptr_t)at - map) << 4);
}
