/* SPDX-License-Identifier: MIT */
/*
 * Pages of Windows.  Addresses are given out in units of 64 KiB there, while pages have 4 KiB.  A page is
 * such a unit here, so that what is cut off can be given out again and what lies behind can be taken.
 *
 *   VirtualAlloc(), once          | committed | reserved | committed |    64 KiB and more
 *                                   mapped      given back   mapped
 *
 * The system takes back only what it reserved at once.  So giving back a part of it decommits the part,
 * and who gives the last part back releases all of it; until then the addresses of the part are taken for
 * all but vmos_mapat() just behind a part that is mapped, as a segment grows that was shrunk before.  What
 * was reserved here is known by a protection that nobody else reserves with and that no page gets.
 *
 * There is no memory here that is reserved for touching it later: all that is mapped is charged for,
 * VMOS_RESERVE or not, but for what nobody touches (VMOS_NOTOUCH), which is reserved alone.
 *
 * Invariant: what was reserved here to be touched and has no committed page is released, but for the moments
 * in which `parts` is held.  Cost: two to four system calls, and one for each change of state inside a piece.
 */
#include "os_pages_none.h"

#include <errno.h>
#include <windows.h>

typedef MEMORY_BASIC_INFORMATION info_t;

static void *nomemory(void)
{
    errno = ENOMEM;
    return NULL;
}

static const SYSTEM_INFO *about(void)
{
    static SYSTEM_INFO info;
    static int known;
    if (VMOS_UNLIKELY(!__atomic_load_n(&known, __ATOMIC_ACQUIRE))) {
        GetSystemInfo(&info); /* by several threads at once: the same is written */
        __atomic_store_n(&known, 1, __ATOMIC_RELEASE);
    }
    return &info;
}

size_t vmos_pagesize(void)
{
    return about()->dwAllocationGranularity;
}

size_t vmos_kernelpage(void)
{
    return about()->dwPageSize;
}

/* ---- mapping ---- */

#define OURS PAGE_READONLY /* of reserved addresses */

static vmos_lock_t parts;

static int commit(void *addr, size_t size)
{
    return VirtualAlloc(addr, size, MEM_COMMIT, PAGE_READWRITE) != NULL ? 0 : -1;
}

/* [addr, addr+size) of addresses that are reserved now, within a unit at addr if it is not NULL. */
static void *get(void *addr, size_t size, int flags)
{
    void *p = VirtualAlloc(addr, size, MEM_RESERVE, OURS);
    if (p == NULL || flags & VMOS_NOTOUCH || commit(p, size) == 0)
        return p;
    VirtualFree(p, 0, MEM_RELEASE);
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return NULL;
}

/* What was given back behind a part that is still mapped. */
static int getback(char *addr, size_t size)
{
    info_t is, before;
    int r = -1;
    vmos_lock(&parts);
    if (VirtualQuery(addr, &is, sizeof(is)) != 0 && VirtualQuery(addr - 1, &before, sizeof(before)) != 0 &&
        is.State == MEM_RESERVE && is.AllocationProtect == OURS && is.RegionSize >= size &&
        before.State == MEM_COMMIT && before.AllocationBase == is.AllocationBase)
        r = commit(addr, size);
    vmos_unlock(&parts);
    return r;
}

void *vmos_map(void *hint, size_t size, int flags)
{
    void *p = hint != NULL ? get(hint, size, flags) : NULL;
    if (p == NULL)
        p = get(NULL, size, flags);
    return p != NULL ? p : nomemory();
}

void *vmos_mapat(void *addr, size_t size, int flags)
{
    void *p = get(addr, size, flags);
    if (p != NULL)
        return p;
    if (GetLastError() != ERROR_INVALID_ADDRESS)
        return nomemory();
    if (!(flags & VMOS_NOTOUCH) && getback(addr, size) == 0)
        return addr;
    errno = EEXIST;
    return NULL;
}

/* The addresses in front of what is aligned, and behind it, stay reserved as long as it is mapped. */
void *vmos_mapalign(size_t size, size_t align, int flags)
{
    size_t more;
    char *all, *p;
    if (align <= vmos_pagesize())
        return vmos_map(NULL, size, flags);
    if (__builtin_add_overflow(size, align - vmos_pagesize(), &more))
        return nomemory();
    all = VirtualAlloc(NULL, more, MEM_RESERVE, OURS);
    if (all == NULL)
        return nomemory();
    p = all + (-(uintptr_t)all & (align - 1));
    if (flags & VMOS_NOTOUCH || commit(p, size) == 0)
        return p;
    VirtualFree(all, 0, MEM_RELEASE);
    return nomemory();
}

/* ---- what is mapped, piece by piece ---- */

/* f for each piece of [addr, addr+size) that is in one state and was reserved at once. */
static int each(char *addr, size_t size, int (*f)(char *from, size_t n, const info_t *is))
{
    char *end = addr + size;
    if (((uintptr_t)addr | size) % vmos_kernelpage() != 0) {
        errno = EINVAL;
        return -1;
    }
    while (addr < end) {
        info_t is;
        size_t n;
        if (VirtualQuery(addr, &is, sizeof(is)) == 0) {
            errno = EINVAL;
            return -1;
        }
        n = is.RegionSize - (size_t)(addr - (char *)is.BaseAddress);
        n = n < (size_t)(end - addr) ? n : (size_t)(end - addr);
        if (f(addr, n, &is) < 0)
            return -1;
        addr += n;
    }
    return 0;
}

/* Whether a page of what was reserved at `base` is mapped. */
static int inuse(void *base)
{
    info_t is;
    char *p = base;
    while (VirtualQuery(p, &is, sizeof(is)) != 0 && is.AllocationBase == base) {
        if (is.State == MEM_COMMIT)
            return 1;
        p += is.RegionSize;
    }
    return 0;
}

static int unmap(char *from, size_t n, const info_t *is)
{
    int ours = is->State == MEM_COMMIT || (is->State == MEM_RESERVE && is->AllocationProtect == OURS);
    if (is->State == MEM_COMMIT && !VirtualFree(from, n, MEM_DECOMMIT))
        return cannot();
    if (ours && !inuse(is->AllocationBase))
        VirtualFree(is->AllocationBase, 0, MEM_RELEASE);
    return 0;
}

int vmos_unmap(void *addr, size_t size)
{
    int r;
    vmos_lock(&parts);
    r = each(addr, size, unmap);
    vmos_unlock(&parts);
    return r;
}

/* The pages are given back and asked for again: advice to drop them need not clear them.  Should another
 * process take the memory in between, this one waits until there is some, as it would in a page fault. */
static int purge(char *from, size_t n, const info_t *is)
{
    if (is->State != MEM_COMMIT || !VirtualFree(from, n, MEM_DECOMMIT))
        return cannot();
    while (VirtualAlloc(from, n, MEM_COMMIT, is->Protect) == NULL)
        Sleep(1);
    return 0;
}

int vmos_purge(void *addr, size_t size)
{
    int r;
    vmos_lock(&parts);
    r = each(addr, size, purge);
    vmos_unlock(&parts);
    return r;
}

static int change(char *from, size_t n, DWORD protection)
{
    DWORD before;
    if (VirtualProtect(from, n, protection, &before))
        return 0;
    errno = ENOMEM;
    return -1;
}

static int shut(char *from, size_t n, const info_t *is)
{
    (void)is;
    return change(from, n, PAGE_NOACCESS);
}

static int allow(char *from, size_t n, const info_t *is)
{
    (void)is;
    return change(from, n, PAGE_READWRITE);
}

int vmos_protect(void *addr, size_t size)
{
    return each(addr, size, shut);
}

int vmos_unprotect(void *addr, size_t size)
{
    return each(addr, size, allow);
}
