/* SPDX-License-Identifier: MIT */
/*
 * From an address to its entry in .eh_frame, through the sorted table of .eh_frame_hdr.
 *
 *   .eh_frame_hdr   | 1 | enc of ptr | enc of count | enc of table | ptr | count | table |
 *     table         | start of code: 4 | entry in .eh_frame: 4 |, relative to .eh_frame_hdr
 *   entry (FDE)     | length: 4 | distance back to its CIE: 4 | start | size | data | program |
 *   CIE             | length: 4 | 0: 4 | version | augmentation | aligns | ra | data | program |
 *
 * As in the Linux Standard Base, "Exception Frames", and DWARF 5, 6.4.1.  Tables of other forms
 * than linkers write are not read.  What is read lies in the module's memory, and no cursor leaves
 * it, whatever the tables say.  Cost: some 20 steps of a binary search for libc, two entries; 30 us
 * in a static program without a table.
 */
#include "walk.h"
#include "cursor.h"

enum { /* encodings of pointers, DW_EH_PE_... */
    ABSOLUTE = 0x00, ULEB = 0x01, DATA2 = 0x02, DATA4 = 0x03, DATA8 = 0x04,
    SIGNED = 0x08, SLEB = 0x09, RELATIVE_PC = 0x10, RELATIVE_DATA = 0x30, INDIRECT = 0x80,
    OMIT = 0xff
};

/* The value alone, as its format is; where it is relative to is another matter. */
static uint64_t raw(cursor_t *c, unsigned encoding)
{
    switch (encoding & 0x0f) {
    case ABSOLUTE: return cursor_fixed(c, sizeof(uintptr_t));
    case ULEB: return CURSOR_ULEB(c);
    case SLEB: return (uint64_t)CURSOR_SLEB(c);
    case DATA2: return cursor_fixed(c, 2);
    case DATA4: return cursor_fixed(c, 4);
    case DATA2 | SIGNED: return (uint64_t)(int64_t)(int16_t)cursor_fixed(c, 2);
    case DATA4 | SIGNED: return (uint64_t)(int64_t)(int32_t)cursor_fixed(c, 4);
    case DATA8: case DATA8 | SIGNED: return cursor_fixed(c, 8);
    default: c->bad = 1; return 0;
    }
}

static uintptr_t pointer(cursor_t *c, unsigned encoding)
{
    uintptr_t at = (uintptr_t)c->p, value = (uintptr_t)raw(c, encoding);
    if ((encoding & 0xf0) == RELATIVE_PC)
        return value + at;
    if ((encoding & 0xf0) != ABSOLUTE)
        c->bad = 1;
    return value;
}

/* Over a pointer of no interest here, whatever it is relative to. */
static void pass(cursor_t *c, unsigned encoding)
{
    if (encoding != OMIT)
        raw(c, encoding);
}

/* From addr to the end of its module; at once bad when addr is not in there. */
static cursor_t within(const vmos_module_t *m, uintptr_t addr)
{
    int in = addr >= m->low && addr < m->high;
    cursor_t c = {(const unsigned char *)addr, (const unsigned char *)(in ? m->high : addr), !in};
    return c;
}

/* The length of an entry, and a cursor over it. */
static cursor_t entry(const vmos_module_t *m, uintptr_t addr)
{
    cursor_t c = within(m, addr);
    uint64_t length = cursor_fixed(&c, 4);
    if (length == 0xffffffffu)
        length = cursor_fixed(&c, 8);
    return cursor_part(&c, length);
}

/* The letters of a CIE that begin with z: what each has in the augmentation data. */
static int augmentation(cursor_t *c, const char *letters, vmsk_fde_t *fde, unsigned *encoding)
{
    cursor_t data = cursor_part(c, CURSOR_ULEB(c));
    for (letters++; *letters != '\0'; letters++) {
        switch (*letters) {
        case 'R': *encoding = (unsigned)cursor_fixed(&data, 1); break;
        case 'P': pass(&data, (unsigned)cursor_fixed(&data, 1)); break;
        case 'L': cursor_fixed(&data, 1); break;
        case 'S': fde->signal = 1; break;
        case 'B': case 'G': break; /* marks of aarch64: signed with key B, tagged */
        default: return 0; /* what follows is skipped by its length */
        }
    }
    return data.bad ? -1 : 0;
}

static int read_cie(vmsk_fde_t *fde, const vmos_module_t *m, uintptr_t addr, unsigned *encoding)
{
    cursor_t c = entry(m, addr);
    const char *letters;
    unsigned version;
    if (cursor_fixed(&c, 4) != 0)
        return -1;
    version = (unsigned)cursor_fixed(&c, 1);
    letters = (const char *)c.p;
    while (cursor_fixed(&c, 1) != 0) {
    }
    if (c.bad || (version != 1 && version != 3))
        return -1;
    fde->code_align = CURSOR_ULEB(&c);
    fde->data_align = CURSOR_SLEB(&c);
    fde->ra = (unsigned)(version == 1 ? cursor_fixed(&c, 1) : CURSOR_ULEB(&c));
    fde->signal = 0;
    fde->sized = letters[0] == 'z';
    if (fde->sized ? augmentation(&c, letters, fde, encoding) != 0 : letters[0] != '\0')
        return -1;
    fde->initial = c.p;
    fde->initial_end = c.end;
    return c.bad ? -1 : 0;
}

static int read_fde(vmsk_fde_t *fde, const vmos_module_t *m, uintptr_t addr)
{
    cursor_t c = entry(m, addr);
    uintptr_t at = (uintptr_t)c.p, back = (uintptr_t)cursor_fixed(&c, 4);
    unsigned encoding = ABSOLUTE;
    if (c.bad || back == 0 || read_cie(fde, m, at - back, &encoding) != 0 ||
        (encoding & INDIRECT))
        return -1;
    fde->start = pointer(&c, encoding);
    fde->end = fde->start + (uintptr_t)raw(&c, encoding & 0x0f);
    if (fde->sized)
        cursor_part(&c, CURSOR_ULEB(&c));
    fde->program = c.p;
    fde->program_end = c.end;
    return c.bad ? -1 : 0;
}

/* Offset of row i of the table, its code (0) or its entry (1). */
static int32_t row(const unsigned char *table, size_t i, int which)
{
    int32_t x;
    memcpy(&x, table + i * 8 + (size_t)which * 4, sizeof(x));
    return x;
}

/* The last row that does not begin behind addr; count: none. */
static size_t search(const unsigned char *table, size_t count, uintptr_t head, uintptr_t addr)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (head + (uintptr_t)(intptr_t)row(table, mid, 0) <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low == 0 ? count : low - 1;
}

static int through_table(vmsk_fde_t *fde, const vmos_module_t *m, uintptr_t addr)
{
    uintptr_t head = (uintptr_t)m->unwind;
    cursor_t c = within(m, head);
    unsigned version = (unsigned)cursor_fixed(&c, 1), frame = (unsigned)cursor_fixed(&c, 1);
    unsigned counted = (unsigned)cursor_fixed(&c, 1), tabled = (unsigned)cursor_fixed(&c, 1);
    size_t count, i;
    if (version != 1 || tabled != (RELATIVE_DATA | DATA4 | SIGNED))
        return -1;
    pass(&c, frame);
    count = (size_t)raw(&c, counted);
    if (c.bad || count > cursor_left(&c) / 8)
        return -1;
    i = search(c.p, count, head, addr);
    if (i == count || read_fde(fde, m, head + (uintptr_t)(intptr_t)row(c.p, i, 1)) != 0)
        return -1;
    return addr >= fde->start && addr < fde->end ? 0 : -1;
}

/* A static program may have no table: all entries, one behind the other. */
static int one_by_one(vmsk_fde_t *fde, const vmos_module_t *m, uintptr_t addr)
{
    uintptr_t at = (uintptr_t)m->frames, end = at + m->nframes;
    while (end - at > 4) {
        cursor_t c = entry(m, at);
        uintptr_t next = (uintptr_t)c.end;
        if (c.bad || next <= at || next > end || c.p == c.end)
            return -1;
        if (cursor_fixed(&c, 4) != 0 && read_fde(fde, m, at) == 0 && addr >= fde->start &&
            addr < fde->end)
            return 0;
        at = next;
    }
    return -1;
}

int vmsk_fde_find(vmsk_fde_t *fde, const vmos_module_t *m, uintptr_t addr)
{
    if (m->unwind != NULL)
        return through_table(fde, m, addr);
    return m->frames != NULL ? one_by_one(fde, m, addr) : -1;
}
