/* SPDX-License-Identifier: MIT */
/*
 * The modules of the program, those that went included.
 *
 * Records and texts lie in one mapping that grows from both ends and never moves:
 *
 *   | record 0 | record 1 | ... ->                    <- ... | text of 1 | text of 0 |
 *
 * A record is written before the count includes it; only `gone` changes later.  Readers take no
 * lock.  A writer takes the flag or goes without: who finds a module in a walk and the flag taken
 * leaves the note to the next one.  The flag holds the number of the process, so that a child of
 * fork is not kept out by a thread that it does not have.
 */
#include "walk.h"

#include <errno.h>
#include <string.h>

#define SIZE ((size_t)1 << 20)
#define PATH 4096 /* longest path kept, its end included */

typedef struct record {
    vmsk_module_t m;
    vmos_module_t loaded; /* path: a copy of the loader's */
    uint32_t seen;        /* by which refresh last */
} record_t;

static record_t *records;
static size_t count, texts = SIZE; /* where the texts begin */
static uint32_t generation = 1, refreshes;
static long writer;
static int begun; /* modules were listed once, for systems that cannot be asked by address */

static int write_begin(void)
{
    long self = vmos_pid(), was = 0;
    void *fresh;
    if (!__atomic_compare_exchange_n(&writer, &was, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED) &&
        (was == self || !__atomic_compare_exchange_n(&writer, &was, self, 0, __ATOMIC_ACQUIRE,
                                                     __ATOMIC_RELAXED)))
        return 0;
    if (records == NULL && (fresh = vmos_map(NULL, SIZE, VMOS_SMALL)) != NULL) {
        vmos_name(fresh, SIZE, "vmalloc modules");
        __atomic_store_n(&records, fresh, __ATOMIC_RELEASE);
    }
    if (records != NULL)
        return 1;
    __atomic_store_n(&writer, 0, __ATOMIC_RELEASE);
    return 0;
}

static void write_end(void)
{
    __atomic_store_n(&writer, 0, __ATOMIC_RELEASE);
}

/* The free bytes between the records, with one more, and the texts. */
static char *spare(size_t *size)
{
    size_t from = (count + 1) * sizeof(record_t);
    *size = texts > from ? texts - from : 0;
    return (char *)records + from;
}

/* n bytes and a '\0', which may lie in the spare room already; "" without room. */
static const char *keep_text(const char *text, size_t n)
{
    size_t size;
    char *to;
    spare(&size);
    if (n + 1 > size)
        return "";
    texts -= n + 1;
    to = (char *)records + texts;
    memmove(to, text, n);
    to[n] = '\0';
    return to;
}

static const char *path_of(const vmos_module_t *m, const char *loaded)
{
    size_t size, n;
    char *room = spare(&size);
    if (size < PATH)
        return loaded;
    n = vmos_module_path(m, room, PATH);
    return strcmp(room, loaded) == 0 ? loaded : keep_text(room, n);
}

static record_t *add(const vmos_module_t *m)
{
    record_t *r = &records[count];
    if (texts < (count + 1) * sizeof(*r))
        return NULL;
    r->loaded = *m;
    r->loaded.path = keep_text(m->path, strlen(m->path));
    if (m->unwind == NULL)
        vmos_module_frames(&r->loaded);
    r->m.path = path_of(m, r->loaded.path);
    r->m.bias = m->bias;
    r->m.low = m->low;
    r->m.high = m->high;
    vmos_module_code(m, &r->m.text, &r->m.etext);
    r->m.nid = (uint32_t)vmos_module_id(m, r->m.id, sizeof(r->m.id));
    r->m.born = generation;
    r->m.gone = 0;
    r->seen = refreshes;
    __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
    return r;
}

static int live(const record_t *r)
{
    return __atomic_load_n(&r->m.gone, __ATOMIC_RELAXED) == 0;
}

/* Whether m is what r says: same place, same name, same build. */
static int same(const record_t *r, const vmos_module_t *m)
{
    unsigned char id[VMSK_IDSIZE];
    size_t n;
    if (!live(r) || r->m.bias != m->bias || m->low >= r->m.high || r->m.low >= m->high ||
        strcmp(r->loaded.path, m->path) != 0)
        return 0;
    n = vmos_module_id(m, id, sizeof(id));
    return n == 0 || r->m.nid == 0 || (n == r->m.nid && memcmp(id, r->m.id, n) == 0);
}

static record_t *known(const vmos_module_t *m)
{
    record_t *all = __atomic_load_n(&records, __ATOMIC_ACQUIRE);
    size_t n = __atomic_load_n(&count, __ATOMIC_ACQUIRE);
    while (n-- > 0)
        if (same(&all[n], m))
            return &all[n];
    return NULL;
}

static void mark_gone(record_t *r, uint32_t when)
{
    __atomic_store_n(&r->m.gone, when, __ATOMIC_RELEASE);
    vmsk_forget();
}

/* Note m, and that what lay there before is gone.  The flag is taken. */
static record_t *note(const vmos_module_t *m)
{
    record_t *r = known(m);
    int replaced = 0;
    if (r != NULL)
        return r;
    for (size_t i = 0; i < count; i++) {
        if (live(&records[i]) && records[i].m.low < m->high && m->low < records[i].m.high) {
            mark_gone(&records[i], generation + 1);
            replaced = 1;
        }
    }
    __atomic_store_n(&generation, generation + (uint32_t)replaced, __ATOMIC_RELEASE);
    return add(m);
}

/* ---- for the walker ---- */

/* Of those that lay at addr one after the other, the one that was there in generation when. */
static const record_t *holding(uintptr_t addr, uint32_t when)
{
    const record_t *all = __atomic_load_n(&records, __ATOMIC_ACQUIRE);
    size_t n = __atomic_load_n(&count, __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < n; i++) {
        uint32_t gone = __atomic_load_n(&all[i].m.gone, __ATOMIC_ACQUIRE);
        if (addr - all[i].m.low < all[i].m.high - all[i].m.low && (gone == 0 || when < gone))
            return &all[i];
    }
    return NULL;
}

/* Where the loader cannot be asked by address, what was listed must do. */
static int listed(vmos_module_t *m, uintptr_t addr)
{
    const record_t *r;
    if (!__atomic_exchange_n(&begun, 1, __ATOMIC_RELAXED)) {
        vmsk_refresh();
        if (__atomic_load_n(&count, __ATOMIC_RELAXED) == 0) /* early in a static program nothing is listed yet */
            __atomic_store_n(&begun, 0, __ATOMIC_RELAXED);
    }
    r = holding(addr, vmsk_generation());
    memset(m, 0, sizeof(*m));
    if (r == NULL)
        return __atomic_load_n(&count, __ATOMIC_RELAXED) > 0 ? -1 : 1;
    *m = r->loaded;
    return 0;
}

int vmsk_module_note(vmos_module_t *m, uintptr_t addr)
{
    const record_t *r;
    if (!vmos_module_fast())
        return listed(m, addr);
    if (vmos_module_at(addr, m) != 0)
        return -1;
    r = known(m);
    if (r == NULL && write_begin()) {
        r = note(m);
        write_end();
    }
    if (r == NULL)
        return 1;
    *m = r->loaded;
    return 0;
}

/* This library's name begins so, as the linker's or as a file; a program that it is linked into has another. */
#define OWN "libvmalloc"

static int begins_own(const char *name)
{
    const char *slash = name != NULL ? strrchr(name, '/') : NULL;
    return name != NULL && strncmp(slash != NULL ? slash + 1 : name, OWN, sizeof(OWN) - 1) == 0;
}

static uintptr_t own[2];
static int own_known;

static VMOS_COLD void own_find(void)
{
    vmos_module_t m;
    if (vmsk_module_note(&m, (uintptr_t)own_find) < 0)
        return;
    if (begins_own(vmos_module_soname(&m)) || begins_own(m.path))
        vmos_module_code(&m, &own[0], &own[1]);
    __atomic_store_n(&own_known, 1, __ATOMIC_RELEASE);
}

void vmsk_module_own(uintptr_t *text, uintptr_t *etext)
{
    if (VMOS_UNLIKELY(!__atomic_load_n(&own_known, __ATOMIC_ACQUIRE)))
        own_find();
    *text = own[0];
    *etext = own[1];
}

/* ---- for others ---- */

static void see(const vmos_module_t *m, void *arg)
{
    record_t *r = note(m);
    (void)arg;
    if (r != NULL)
        r->seen = refreshes;
}

void vmsk_refresh(void)
{
    int keep = errno, gone = 0;
    for (int tries = 0; !write_begin(); tries++) {
        if (tries == 1000)
            return;
        vmos_yield();
    }
    refreshes++;
    vmos_module_each(see, NULL);
    for (size_t i = 0; i < count; i++) {
        if (live(&records[i]) && records[i].seen != refreshes) {
            mark_gone(&records[i], generation + 1);
            gone = 1;
        }
    }
    __atomic_store_n(&generation, generation + (uint32_t)gone, __ATOMIC_RELEASE);
    write_end();
    errno = keep;
}

uint32_t vmsk_generation(void)
{
    return __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
}

int vmsk_modules(int (*f)(const vmsk_module_t *m, void *arg), void *arg)
{
    const record_t *all = __atomic_load_n(&records, __ATOMIC_ACQUIRE);
    size_t n = __atomic_load_n(&count, __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < n; i++) {
        int r = f(&all[i].m, arg);
        if (r != 0)
            return r;
    }
    return 0;
}

static int placed(const record_t *r, uintptr_t addr, const vmsk_module_t **module,
                  uintptr_t *offset)
{
    *module = r != NULL ? &r->m : NULL;
    *offset = r != NULL ? addr - r->m.bias : addr;
    return r != NULL ? 0 : -1;
}

int vmsk_place_at(const void *pc, uint32_t when, const vmsk_module_t **module, uintptr_t *offset)
{
    uintptr_t addr = (uintptr_t)pc - 1;
    return placed(holding(addr, when), addr, module, offset);
}

/* The last one that lay there, when none does. */
static const record_t *held(uintptr_t addr)
{
    const record_t *all = __atomic_load_n(&records, __ATOMIC_ACQUIRE);
    size_t n = __atomic_load_n(&count, __ATOMIC_ACQUIRE);
    while (n-- > 0)
        if (addr - all[n].m.low < all[n].m.high - all[n].m.low)
            return &all[n];
    return NULL;
}

int vmsk_place(const void *pc, const vmsk_module_t **module, uintptr_t *offset)
{
    uintptr_t addr = (uintptr_t)pc - 1;
    vmos_module_t m;
    const record_t *r;
    int keep = errno;
    vmsk_module_note(&m, addr);
    r = holding(addr, vmsk_generation());
    errno = keep;
    return placed(r != NULL ? r : held(addr), addr, module, offset);
}
