/* SPDX-License-Identifier: MIT */
/*
 * write: copies of the store, with checksums.
 *
 *   store   | head | section, half used | section, half used | ...
 *   copy    | head | section | section | ... | segments |           each as long as it must be
 *
 * The copy is made in memory first, for threads go on counting: a checksum is of what is written.
 * Functions here call nothing but os, so a copy may be made in a signal handler.
 */
#include "profile.h"

#include <errno.h>
#include <string.h>

#define SEGMENTS ((size_t)4 << 20) /* room for them */

/*
 * CRC-32C, Castagnoli, eight bytes at a time (Kounavis and Berry, "A systematic approach to building high
 * performance, software-based, CRC generators", 2005): table k tells what a byte does that k others follow.
 * The tables are made at the first use, by whoever comes; all write the same.
 */
static uint32_t tables[8][256];

static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t x = i;
        for (int k = 0; k < 8; k++)
            x = x >> 1 ^ (x & 1 ? 0x82f63b78u : 0);
        VMPF_SET(tables[0][i], x);
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t x = VMPF_GET(tables[k - 1][i]);
            __atomic_store_n(&tables[k][i], x >> 8 ^ VMPF_GET(tables[0][x & 255]), __ATOMIC_RELEASE);
        }
}

static uint32_t word_at(const unsigned char *s)
{
    return s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

uint32_t vmpf_crc(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *s = data;
    if (__atomic_load_n(&tables[7][255], __ATOMIC_ACQUIRE) == 0)
        make_tables();
    for (crc = ~crc; size >= 8; size -= 8, s += 8) {
        uint32_t x = crc ^ word_at(s), y = word_at(s + 4);
        crc = tables[7][x & 255] ^ tables[6][x >> 8 & 255] ^ tables[5][x >> 16 & 255] ^
              tables[4][x >> 24] ^ tables[3][y & 255] ^ tables[2][y >> 8 & 255] ^
              tables[1][y >> 16 & 255] ^ tables[0][y >> 24];
    }
    for (; size > 0; size--)
        crc = crc >> 8 ^ tables[0][(crc ^ *s++) & 255];
    return ~crc;
}

static void seal_section(Vmpfsection_t *s)
{
    s->state = VMPF_SEALED;
    s->check = 0;
    s->check = vmpf_crc(vmpf_crc(0, s, sizeof *s), s + 1, s->used);
}

void vmpf_seal(char *store, size_t size, unsigned why)
{
    Vmpfhead_t *h = (Vmpfhead_t *)(void *)store;
    for (size_t at = VMPF_UNIT; at < size;) {
        Vmpfsection_t *s = (Vmpfsection_t *)(void *)(store + at);
        seal_section(s);
        at += s->size;
    }
    h->why = why;
    h->length = size;
    h->check = 0;
    h->state = VMPF_SEALED;
    h->check = vmpf_crc(0, h, sizeof *h);
}

/* The used parts of sections, one behind the other.  How many bytes. */
static size_t pack(char *to)
{
    const char *from = (const char *)vmpf.head;
    size_t used = __atomic_load_n(&vmpf.used, __ATOMIC_ACQUIRE), size = VMPF_UNIT;
    memcpy(to, from, VMPF_UNIT);
    for (size_t at = VMPF_UNIT; at < used;) {
        const Vmpfsection_t *s = (const Vmpfsection_t *)(const void *)(from + at);
        Vmpfsection_t *copy = (Vmpfsection_t *)(void *)(to + size);
        size_t n = __atomic_load_n(&s->used, __ATOMIC_ACQUIRE);
        memcpy(copy, s, sizeof *s + n);
        copy->used = n;
        copy->size = VMB_UP(sizeof *s + n, VMPF_UNIT);
        size += copy->size;
        at += s->size;
    }
    return size;
}

static size_t append_segments(char *to)
{
    Vmpfsection_t *s = (Vmpfsection_t *)(void *)to;
    size_t n = vmpf_segments((char *)(s + 1), SEGMENTS - sizeof *s);
    if (n == 0)
        return 0;
    s->magic = VMPF_SECTION;
    s->type = VMPF_SEGMENTS;
    s->used = n;
    s->size = VMB_UP(sizeof *s + n, VMPF_UNIT);
    return s->size;
}

int vmpf_copy(int fd, unsigned why, int quick)
{
    size_t room = VMB_UP(vmpf.used, (size_t)64 << 10) + SEGMENTS, size;
    char *copy = vmos_map(NULL, room, VMOS_RESERVE);
    int r;
    if (copy == NULL)
        return -1;
    size = pack(copy);
    if (!quick)
        size += append_segments(copy + size);
    vmpf_seal(copy, size, why);
    r = vmos_write(fd, copy, size);
    vmos_unmap(copy, room);
    return r;
}

void vmpf_copy_file(unsigned why)
{
    static uint32_t number;
    char path[VMPF_PATH + 16];
    vmb_out_t o;
    int fd, keep = errno;
    if (vmpf.head == NULL || vmpf.file[0] == '\0')
        return;
    vmb_out_init(&o, path, sizeof path);
    vmb_printf(&o, "%s.%u", vmpf.file, __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
    fd = vmos_create(path);
    if (fd < 0 || vmpf_copy(fd, why, 1) != 0)
        vmb_fault("profile %s: cannot be written (error %d)", path, errno);
    if (fd >= 0)
        vmos_file_close(fd);
    errno = keep;
}

/* One of the threads that come by does it. */
void vmpf_copy_due(uint64_t now)
{
    uint64_t due = __atomic_load_n(&vmpf.nextcopy, __ATOMIC_RELAXED);
    uint64_t next = now + vmpf_settings.interval * 1000000000u;
    if (now >= due && __atomic_compare_exchange_n(&vmpf.nextcopy, &due, next, 0, __ATOMIC_RELAXED,
                                                  __ATOMIC_RELAXED))
        vmpf_copy_file(VMPF_INTERVAL);
}
