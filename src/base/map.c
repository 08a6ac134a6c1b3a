/* SPDX-License-Identifier: MIT */
/*
 * The page map: which word belongs to the 4 KiB page of an address.
 *
 *     address   |  root index  |  word in leaf  | in page |
 *     64 bits   |   17 bits    |    18 bits     |   12    |
 *
 *   vmb_map_root        leaf: 1 GiB of addresses
 *   +---+              +--------+--------+-- ... --+--------+------+
 *   | *-+------------> | chunk 0| chunk 1|         |chunk511| used |
 *   +---+              +--------+--------+-- ... --+--------+------+
 *   | 0 |                512 words: 2 MiB of addresses       a bit for each chunk
 *   +---+
 *
 * A leaf takes 2 MiB of addresses and as many pages as were written.  A chunk is as large as a
 * page: what says that its words are all NULL without reading them (reading would make the page
 * exist) is its bit in `used`, set before the first word and never cleared.
 *
 * Invariants
 *   - leaves are installed by compare-and-swap, once, and never go, but for those that a caller lent
 *     (vmb_map_adopt()): nobody asks for the addresses of those while they go;
 *   - a word that is not NULL lies in a chunk whose bit is set;
 *   - who sets words owns their addresses, so that two never set the same word at a time.
 * Cost: reading two loads; setting a store for each page; clearing a store for each word that was
 * set, and for the rest a bit for each 2 MiB and a load for each GiB.
 */
#include "base.h"

#include <errno.h>

#define CHUNK ((size_t)512)
#define CHUNKS (VMB_LEAFSIZE / CHUNK)
#define USEDWORDS ((CHUNKS + 63) / 64)
#define LEAFSHIFT (VMB_PAGESHIFT + VMB_LEAFBITS)
#define LASTPAGE (VMB_ROOTSIZE * VMB_LEAFSIZE - 1)

void **vmb_map_root[VMB_ROOTSIZE];

/* ---- leaves ---- */

VMOS_INLINE void **leafof(size_t page)
{
    return __atomic_load_n(&vmb_map_root[page >> VMB_LEAFBITS], __ATOMIC_ACQUIRE);
}

VMOS_INLINE uint64_t *usedword(void **leaf, size_t chunk)
{
    return (uint64_t *)(void *)(leaf + VMB_LEAFSIZE) + chunk / 64;
}

VMOS_INLINE void use(void **leaf, size_t chunk)
{
    uint64_t *word = usedword(leaf, chunk), bit = (uint64_t)1 << (chunk & 63);
    if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
}

VMOS_INLINE int used(void **leaf, size_t chunk)
{
    return (int)(__atomic_load_n(usedword(leaf, chunk), __ATOMIC_RELAXED) >> (chunk & 63) & 1);
}

static int install(size_t r)
{
    size_t size = VMB_LEAFSIZE * sizeof(void *) + USEDWORDS * sizeof(uint64_t);
    void **leaf, **none = NULL;
    if (__atomic_load_n(&vmb_map_root[r], __ATOMIC_ACQUIRE) != NULL)
        return 0;
    size = VMB_UP(size, vmos_pagesize());
    leaf = vmos_map(NULL, size, VMOS_RESERVE | VMOS_SMALL);
    if (leaf == NULL)
        return -1;
    vmos_name(leaf, size, "vmalloc page map");
    if (!__atomic_compare_exchange_n(&vmb_map_root[r], &none, leaf, 0, __ATOMIC_RELEASE,
                                     __ATOMIC_ACQUIRE))
        vmos_unmap(leaf, size); /* another thread was first */
    return 0;
}

int vmb_map_reserve(const void *addr, size_t size)
{
    size_t r = (uintptr_t)addr >> LEAFSHIFT, last;
    uintptr_t end;
    if (size == 0)
        return 0;
    if (__builtin_add_overflow((uintptr_t)addr, size - 1, &end) ||
        end >> VMB_PAGESHIFT > LASTPAGE) {
        errno = ENOMEM;
        return -1;
    }
    for (last = end >> LEAFSHIFT; r <= last; r++)
        if (install(r) != 0)
            return -1;
    return 0;
}

_Static_assert(USEDWORDS * sizeof(uint64_t) <= VMB_PAGE, "what VMB_LEAFBYTES has for the bits");

int vmb_map_adopt(const void *addr, void *leaf)
{
    size_t r = (uintptr_t)addr >> LEAFSHIFT;
    void **none = NULL;
    if (r >= VMB_ROOTSIZE || (uintptr_t)addr % VMB_LEAFSPAN != 0 || leaf == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (__atomic_compare_exchange_n(&vmb_map_root[r], &none, (void **)leaf, 0, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED))
        return 0;
    errno = EEXIST;
    return -1;
}

void vmb_map_drop(const void *addr, const void *leaf)
{
    size_t r = (uintptr_t)addr >> LEAFSHIFT;
    if (r < VMB_ROOTSIZE && vmb_map_root[r] == leaf)
        __atomic_store_n(&vmb_map_root[r], NULL, __ATOMIC_RELEASE);
}

static void shiftchunk(void **word, uintptr_t from, uintptr_t end, uintptr_t by)
{
    for (size_t i = 0; i < CHUNK; i++) {
        uintptr_t p = (uintptr_t)word[i];
        if (p >= from && p <= end)
            word[i] = (void *)(p + by);
    }
}

void vmb_map_shift(const void *addr, size_t size, uintptr_t from, uintptr_t end, uintptr_t by)
{
    size_t page = (uintptr_t)addr >> VMB_PAGESHIFT, last = page + (size >> VMB_PAGESHIFT);
    for (page = VMB_DOWN(page, CHUNK); page < last; page += CHUNK) {
        void **leaf = leafof(page);
        size_t i = page & (VMB_LEAFSIZE - 1);
        if (used(leaf, i / CHUNK))
            shiftchunk(leaf + i, from, end, by);
    }
}

/* ---- setting ---- */

/* The words of n pages from page on, all in one chunk. */
static void setchunk(void **leaf, size_t page, size_t n, void *value)
{
    void **word = leaf + (page & (VMB_LEAFSIZE - 1));
    use(leaf, (page & (VMB_LEAFSIZE - 1)) / CHUNK);
    for (size_t i = 0; i < n; i++)
        __atomic_store_n(&word[i], value, __ATOMIC_RELEASE);
}

/* Words that are NULL already are not written. */
static void clearchunk(void **leaf, size_t page, size_t n)
{
    void **word = leaf + (page & (VMB_LEAFSIZE - 1));
    if (!used(leaf, (page & (VMB_LEAFSIZE - 1)) / CHUNK))
        return;
    for (size_t i = 0; i < n; i++)
        if (__atomic_load_n(&word[i], __ATOMIC_RELAXED) != NULL)
            __atomic_store_n(&word[i], NULL, __ATOMIC_RELEASE);
}

void vmb_map_set(const void *addr, size_t n, void *value)
{
    size_t page = (uintptr_t)addr >> VMB_PAGESHIFT, end = page + n, stop;
    for (; page < end; page = stop) {
        stop = VMB_MIN(end, VMB_UP(page + 1, CHUNK));
        if (value != NULL)
            setchunk(leafof(page), page, stop - page, value);
        else
            clearchunk(leafof(page), page, stop - page);
    }
}

void *vmb_map_words(const void *addr, size_t *n)
{
    size_t page = (uintptr_t)addr >> VMB_PAGESHIFT, i = page & (VMB_LEAFSIZE - 1);
    *n = VMB_MIN(*n, VMB_LEAFSIZE - i);
    return leafof(page) + i;
}

void vmb_map_clear(const void *addr, size_t size)
{
    size_t page = (uintptr_t)addr >> VMB_PAGESHIFT, end, stop;
    if (size == 0)
        return;
    end = VMB_MIN(((uintptr_t)addr + size - 1) >> VMB_PAGESHIFT, LASTPAGE) + 1;
    for (; page < end; page = stop) {
        void **leaf = leafof(page);
        stop = VMB_MIN(end, VMB_UP(page + 1, leaf == NULL ? VMB_LEAFSIZE : CHUNK));
        if (leaf != NULL)
            clearchunk(leaf, page, stop - page);
    }
}

/* ---- looking back ---- */

/* Steps by what is known to be empty: a leaf, a chunk, a word.  Pages from first to page; the step
 * below page 0 wraps around, which the caller's loop takes for the end. */
void *vmb_map_before(const void *addr, const void *low)
{
    size_t page = VMB_MIN((uintptr_t)addr >> VMB_PAGESHIFT, LASTPAGE);
    size_t first = (uintptr_t)low >> VMB_PAGESHIFT;
    while (page >= first && page <= LASTPAGE) {
        void **leaf = leafof(page), *value;
        size_t i = page & (VMB_LEAFSIZE - 1);
        if (leaf == NULL) {
            page = VMB_DOWN(page, VMB_LEAFSIZE) - 1;
        } else if (!used(leaf, i / CHUNK)) {
            page = VMB_DOWN(page, CHUNK) - 1;
        } else {
            value = __atomic_load_n(&leaf[i], __ATOMIC_ACQUIRE);
            if (value != NULL)
                return value;
            page--;
        }
    }
    return NULL;
}
