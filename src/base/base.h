/* SPDX-License-Identifier: MIT */
/*
 * base: what needs no host.  Knows only os.  Nothing here allocates; memory is handed in.
 */
#ifndef VM_BASE_H
#define VM_BASE_H 1

#include "os.h"

#include <limits.h>
#include <stdarg.h>

/* ---- numbers ---- */

#define VMB_UP(x, a) (((uintptr_t)(x) + ((a) - 1)) & ~(uintptr_t)((a) - 1)) /* a: power of two */
#define VMB_DOWN(x, a) ((uintptr_t)(x) & ~(uintptr_t)((a) - 1))
#define VMB_MIN(a, b) ((a) < (b) ? (a) : (b))
#define VMB_MAX(a, b) ((a) > (b) ? (a) : (b))

VMOS_INLINE int vmb_ctz(uint64_t x) { return __builtin_ctzll(x); } /* x != 0 */
VMOS_INLINE int vmb_log2(size_t x)                                   /* floor, x != 0 */
{
    return (int)(sizeof(unsigned long long) * 8 - 1) - __builtin_clzll((unsigned long long)x);
}
/* Bits set, by adding ever larger groups: without an instruction for it the compiler's own way is a
 * call. */
VMOS_INLINE int vmb_pop(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int)(x * UINT64_C(0x0101010101010101) >> 56);
}
/* x * n, or x + n, into *r; true when it overflows. */
VMOS_INLINE int vmb_mulover(size_t x, size_t n, size_t *r)
{
    return __builtin_mul_overflow(x, n, r);
}
VMOS_INLINE int vmb_addover(size_t x, size_t n, size_t *r)
{
    return __builtin_add_overflow(x, n, r);
}
/* n as vmsize() and vmaddr() tell it: what a long cannot hold is told as the most that it can. */
VMOS_INLINE long vmb_long(size_t n)
{
    return n < LONG_MAX ? (long)n : LONG_MAX;
}
/* Upper half of the product. */
VMOS_INLINE uint64_t vmb_mulhi(uint64_t x, uint64_t y)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide_t;
    return (uint64_t)((wide_t)x * y >> 64);
#else
    uint64_t a = (x >> 32) * (uint32_t)y, b = (uint32_t)x * (y >> 32);
    uint64_t mid = ((uint64_t)(uint32_t)x * (uint32_t)y >> 32) + (uint32_t)a + (uint32_t)b;
    return (x >> 32) * (y >> 32) + (a >> 32) + (b >> 32) + (mid >> 32);
#endif
}
/* x rounded up to a multiple of n (any n > 0), 0 when that overflows. */
size_t vmb_round(size_t x, size_t n);
/* Least common multiple, 0 when it overflows. */
size_t vmb_lcm(size_t a, size_t b);
/* A well mixed 64-bit hash. */
VMOS_INLINE uint64_t vmb_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    return x ^ (x >> 32);
}

/* ---- bitmaps: n bits in 64-bit words ---- */

void vmb_bits_set(uint64_t *map, size_t from, size_t n);
void vmb_bits_clear(uint64_t *map, size_t from, size_t n);
VMOS_INLINE int vmb_bit(const uint64_t *map, size_t i)
{
    return (int)(map[i >> 6] >> (i & 63) & 1);
}
VMOS_INLINE void vmb_bit_set(uint64_t *map, size_t i) { map[i >> 6] |= (uint64_t)1 << (i & 63); }
VMOS_INLINE void vmb_bit_clear(uint64_t *map, size_t i) { map[i >> 6] &= ~((uint64_t)1 << (i & 63)); }
/* First position in [from, n) whose bit is 1 (or 0); n when there is none. */
size_t vmb_bits_next1(const uint64_t *map, size_t from, size_t n);
size_t vmb_bits_next0(const uint64_t *map, size_t from, size_t n);
/* Last position in [0, from] whose bit is 1; (size_t)-1 when there is none. */
size_t vmb_bits_prev1(const uint64_t *map, size_t from);

/* ---- an ordered tree: treap whose priorities are hashes of node addresses (Seidel and Aragon,
 * 1996): expected depth O(log n), two words a node, no balance information stored ---- */

typedef struct vmb_node {
    struct vmb_node *left, *right;
} vmb_node_t;

/* < 0, 0, > 0 as a stands before, at or behind b.  0 only for a == b. */
typedef int (*vmb_cmp_f)(const vmb_node_t *a, const vmb_node_t *b);

void vmb_tree_insert(vmb_node_t **root, vmb_node_t *node, vmb_cmp_f cmp);
void vmb_tree_remove(vmb_node_t **root, vmb_node_t *node, vmb_cmp_f cmp);
/* The first node not before key (>=), the last one not behind key (<=), and the one next behind a
 * node; NULL: none.  key: a node filled for comparison, not in the tree. */
vmb_node_t *vmb_tree_ceil(vmb_node_t *root, const vmb_node_t *key, vmb_cmp_f cmp);
vmb_node_t *vmb_tree_floor(vmb_node_t *root, const vmb_node_t *key, vmb_cmp_f cmp);
vmb_node_t *vmb_tree_next(vmb_node_t *root, const vmb_node_t *node, vmb_cmp_f cmp);
vmb_node_t *vmb_tree_first(vmb_node_t *root);
vmb_node_t *vmb_tree_last(vmb_node_t *root);
/* Order and heap property hold: number of nodes, or -1. */
long vmb_tree_check(vmb_node_t *root, vmb_cmp_f cmp);

/* ---- the page map: one word for each 4 KiB of address space, process-wide ----
 * Two levels; the first lies in .bss, leaves are mapped when first needed and never go.  Reading
 * takes no lock; a word may be set while others are read. */

#define VMB_PAGE 4096u
#define VMB_PAGESHIFT 12
#define VMB_MAPBITS VMOS_ADDRBITS
#define VMB_LEAFBITS (VMB_MAPBITS > 32 ? 18 : 10)
#define VMB_ROOTSIZE ((size_t)1 << (VMB_MAPBITS - VMB_PAGESHIFT - VMB_LEAFBITS))
#define VMB_LEAFSIZE ((size_t)1 << VMB_LEAFBITS)

extern void **vmb_map_root[VMB_ROOTSIZE] VMOS_HIDDEN;

/* The word for the page of addr; NULL for any address that has none. */
VMOS_INLINE void *vmb_map_get(const void *addr)
{
    size_t r = (uintptr_t)addr >> (VMB_PAGESHIFT + VMB_LEAFBITS);
    void **leaf;
    if (VMOS_UNLIKELY(r >= VMB_ROOTSIZE))
        return NULL;
    leaf = __atomic_load_n(&vmb_map_root[r], __ATOMIC_ACQUIRE);
    if (VMOS_UNLIKELY(leaf == NULL))
        return NULL;
    return __atomic_load_n(&leaf[((uintptr_t)addr >> VMB_PAGESHIFT) & (VMB_LEAFSIZE - 1)],
                           __ATOMIC_ACQUIRE);
}
/* Make sure that the words of [addr, addr+size) exist.  0, -1 without memory or beyond
 * VMB_MAPBITS. */
int vmb_map_reserve(const void *addr, size_t size);
/* Set the words of the n pages from addr's on (reserved before). */
void vmb_map_set(const void *addr, size_t n, void *value);
/* Where the words of the n pages from addr's on are (reserved before); *n becomes as many as lie there
 * one behind another. */
void *vmb_map_words(const void *addr, size_t *n);
/* Set all words of [addr, addr+size) to NULL, cheaply where leaves were never touched. */
void vmb_map_clear(const void *addr, size_t size);
/* The last page at or before addr's, not below low, that has a word: that word, else NULL. */
void *vmb_map_before(const void *addr, const void *low);

/* A leaf may lie in memory of the caller, such as a file that several processes map: VMB_LEAFBYTES,
 * zeros at first, for the VMB_LEAFSPAN bytes from addr on (a multiple of that).  Then these addresses
 * are the caller's alone, and the words are found again where the memory is: adopting takes no time.
 * 0; -1 beyond VMB_MAPBITS (EINVAL), and where there is a leaf already (EEXIST).  Dropped before the
 * memory goes. */
#define VMB_LEAFSPAN (VMB_LEAFSIZE << VMB_PAGESHIFT)
#define VMB_LEAFBYTES (VMB_LEAFSIZE * sizeof(void *) + VMB_PAGE)
int vmb_map_adopt(const void *addr, void *leaf);
void vmb_map_drop(const void *addr, const void *leaf);
/* Words for [addr, addr+size), whose leaves are there, that are in [from, end]: what they lead to lies `by` bytes
 * further on now.  Nobody asks for them meanwhile. */
void vmb_map_shift(const void *addr, size_t size, uintptr_t from, uintptr_t end, uintptr_t by);

/* ---- printing into a buffer, without allocation, locale or stdio ---- */

typedef struct vmb_out {
    char *buf;
    size_t size, len; /* len never passes size - 1; the text is always ended by '\0' */
} vmb_out_t;

void vmb_out_init(vmb_out_t *o, char *buf, size_t size);
/* %s string, %d int, %ld long, %u unsigned, %zu size_t, %lx unsigned long in hex, %p pointer with
 * 0x, %c, %%; a NULL string prints as (null).  Lengths l, ll, z; a width, with - or 0 before it;
 * a precision for %s. */
void vmb_printf(vmb_out_t *o, const char *format, ...) VMOS_PRINTS(2, 3);
void vmb_vprintf(vmb_out_t *o, const char *format, va_list ap)
    VMOS_PRINTS(2, 0);

/* ---- faults ---- */

/* Descriptor for messages: vmdebug().  -1: none. */
extern int vmb_faultfd;
/* One line "vmalloc(PID): ..." with one write to vmb_faultfd; format as vmb_printf(), the newline
 * is added.  errno is kept. */
void vmb_fault(const char *format, ...) VMOS_PRINTS(1, 2);

#endif
