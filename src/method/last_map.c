/* SPDX-License-Identifier: MIT */
/*
 * last_map: where blocks of Vmlast start and end, by the map at the end of each part.
 *
 * Cost: a word for each KiB passed, so that of long blocks is one 64th of reading them.
 */
#include "last.h"

int vmla_isblock(const vmla_part_t *part, const char *p)
{
    const uint64_t *pair = vmla_pair(vmla_mapof(part), p);

    return (uintptr_t)p % VM_ALIGN == 0 && (pair[0] & ~pair[1] & vmla_bit(p)) != 0;
}

int vmla_ishole(const vmla_part_t *part, const char *p)
{
    return (vmla_pair(vmla_mapof(part), p)[1] & vmla_bit(p)) != 0;
}

char *vmla_endof(const vmla_part_t *part, const char *p, const char *fill)
{
    uintptr_t map = vmla_mapof(part), k = (uintptr_t)p >> VMLA_KIB;
    uintptr_t last = (uintptr_t)(fill - 1) >> VMLA_KIB;
    uint64_t bits = *vmla_pair(map, p) & ~(vmla_bit(p) | (vmla_bit(p) - 1));

    while (bits == 0 && k < last)
        bits = *(uint64_t *)(map + ++k * 16);
    if (bits != 0) {
        const char *q = (const char *)((k << VMLA_KIB) + (uintptr_t)vmb_ctz(bits) * VM_ALIGN);
        if (q < fill)
            return (char *)(uintptr_t)q;
    }
    return (char *)(uintptr_t)fill;
}

char *vmla_startof(const vmla_part_t *part, const char *p)
{
    uintptr_t map = vmla_mapof(part), k = (uintptr_t)p >> VMLA_KIB;
    uint64_t bits = *vmla_pair(map, p) & (vmla_bit(p) | (vmla_bit(p) - 1));

    while (bits == 0) /* something starts at base */
        bits = *(uint64_t *)(map + --k * 16);
    return (char *)((k << VMLA_KIB) + (uintptr_t)vmb_log2(bits) * VM_ALIGN);
}

void vmla_wipe(const vmla_part_t *part, const char *p)
{
    uint64_t *pair;

    if (p >= part->lim)
        return;
    pair = vmla_pair(vmla_mapof(part), p);
    pair[0] &= vmla_bit(p) - 1;
    pair[1] &= vmla_bit(p) - 1;
}
