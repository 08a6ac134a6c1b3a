/* SPDX-License-Identifier: MIT */
/*
 * recorder: the beginning of a profile, its end, and forks; and the calls of <vmalloc/profile.h>.
 *
 *   begin    when the first region of Vmprofile is opened, or a file is asked for
 *   fork     the child has memory of its own in place of the parent's file; it counts from nothing
 *            (epoch + 1, so that regions and tails of before are told apart) or goes on
 *   end      a destructor: nothing is recorded any more, the last figures are written and sealed
 *
 * A process that ends without destructors leaves the file as it stands, which lacks only segments
 * and checksums.
 */
#include "profile.h"

#include <errno.h>
#include <string.h>

#if UINTPTR_MAX > 0xffffffffu
#define MEMORY ((size_t)512 << 20)
#else
#define MEMORY ((size_t)64 << 20)
#endif

vmpf_recorder_t vmpf = {.off = 1, .fd = -1};
vmpf_settings_t vmpf_settings = {.nearby = 16, .memory = MEMORY};

static vmos_lock_t starting;

/* ---- begin ---- */

static int start(void)
{
    vmpf.pid = vmos_pid();
    vmpf.session = (uint16_t)(vmos_random() | 1);
    vmpf.epoch = 1;
    if (vmpf_settings.exact > 0 && vmpf_settings.period == 0)
        vmpf_settings.period = VMPF_PERIOD;
    vmpf.unused = vmpf_settings.unused && vmpf_settings.period == 0;
    vmsk_limit(vmpf_settings.memory / 4);
    if (vmpf_store_open() != 0) {
        vmpf.head = NULL;
        return -1;
    }
    vmpf_note_start();
    vmpf.nextcopy = vmpf_settings.interval * 1000000000u;
    return 0;
}

int vmpf_start(void)
{
    int r = 0, first = 0;
    vmos_lock(&starting);
    if (vmpf.head == NULL) {
        first = 1;
        r = start();
        __atomic_store_n(&vmpf.off, r != 0, __ATOMIC_RELEASE);
        vmpf_changed();
    }
    vmos_unlock(&starting);
    if (first && r == 0)
        vmos_onfork(NULL, NULL, vmpf_forked); /* this may allocate: not under the lock */
    return r;
}

/* ---- pauses and the end ---- */

/* Wait until no thread is inside. */
static void pause_all(void)
{
    __atomic_store_n(&vmpf.off, 1, __ATOMIC_SEQ_CST);
    vmpf_changed();
    if (vmos_barrier_ready())
        vmos_barrier();
    for (vmpf_book_t *b = vmpf.books; b != NULL; b = b->next)
        for (int i = 0; i < 10000 && b->owner != vmos_self(); i++) {
            if (!__atomic_load_n(&b->busy, __ATOMIC_ACQUIRE))
                break;
            vmos_yield();
        }
}

static void flush_all(void)
{
    for (vmpf_book_t *b = vmpf.books; b != NULL; b = b->next)
        vmpf_flush(b);
}

static void note_region(Vmalloc_t *vm)
{
    if (!(vm->meth.meth & VM_MTPROFILE))
        return;
    vmr_lock(vm);
    vmpf_region_note(vm);
    vmr_unlock(vm);
}

static void look_at_rest(Vmalloc_t *vm)
{
    if (!(vm->meth.meth & VM_MTPROFILE))
        return;
    vmr_lock(vm);
    vmpf_unused_rest(vm, 1);
    vmr_unlock(vm);
}

/* Room for the records of segments is taken from the system meanwhile. */
static void add_segments(void)
{
    size_t room = (size_t)4 << 20, n;
    char *records = vmos_map(NULL, room, VMOS_RESERVE);
    uint32_t at;
    if (records == NULL)
        return;
    n = vmpf_segments(records, room);
    at = n > 0 ? vmpf_store_section(VMPF_SEGMENTS, 0, n) : 0;
    if (at != 0) {
        Vmpfsection_t *s = VMPF_AT(Vmpfsection_t, at);
        memcpy(s + 1, records, n);
        s->used = n;
    }
    vmos_unmap(records, room);
}

void vmpf_stop(void)
{
    if (vmpf.head == NULL || vmpf.off)
        return;
    pause_all();
    flush_all();
    vmpf_times_end();
    vmr_each(note_region);
    if (vmpf_looks()) {
        vmpf.unused = 0; /* what is freed from now on is looked at here */
        vmr_each(look_at_rest);
        vmpf.head->unused = 2;
    }
    if (vmpf.forked && vmpf.path[0] != '\0')
        vmpf_store_file();
    if (vmpf.fd < 0)
        return;
    add_segments();
    vmpf_seal((char *)vmpf.head, vmpf.used, VMPF_EXIT);
    vmos_file_resize(vmpf.fd, vmpf.used);
}

__attribute__((destructor)) static void end(void)
{
    vmpf_stop();
}

/* ---- fork ---- */

static void unlock_sites(void)
{
    size_t at = VMPF_UNIT;
    while (at < vmpf.used) {
        Vmpfsection_t *s = (Vmpfsection_t *)(void *)((char *)vmpf.head + at);
        Vmpfsite_t *site = (Vmpfsite_t *)(void *)(s + 1);
        for (size_t n = s->type == VMPF_SITES ? s->used / sizeof *site : 0; n > 0; n--)
            (site++)->lock = 0;
        at += s->size;
    }
}

static void begin_anew(void)
{
    vmpf.epoch++;
    vmpf_changed();
    vmpf.session = (uint16_t)(vmos_random() | 1);
    vmpf.nregions = vmpf.nplaces = 0;
    vmpf.freesite = vmpf.freeregion = vmpf.closed = 0;
    vmpf.due = vmpf.span = vmpf.most = 0;
    vmpf.calls = 0;
    vmpf_note_start();
    vmpf.head->epoch = vmpf.epoch - 1;
}

/* In the child.  Each region's event and our own handler come here; the first one counts. */
void vmpf_forked(void)
{
    int keep = vmpf_settings.inherit;
    if (vmpf.head == NULL || vmpf.pid == vmos_pid())
        return;
    vmpf.pid = vmos_pid();
    vmpf.lock = starting = (vmos_lock_t){0, 0};
    vmpf_times_forked();
    vmpf_store_forked(keep);
    vmpf.off |= vmpf.head == NULL;
    vmpf_changed();
    if (vmpf.head == NULL)
        return;
    vmpf_books_forked(keep);
    if (keep) {
        unlock_sites();
        vmpf_note_forked();
        vmpf.head->epoch++;
    } else {
        begin_anew();
    }
    vmpf.forked = vmpf.path[0] != '\0';
}

/* ---- calls ---- */

static int refuse(int error)
{
    errno = error;
    return -1;
}

int vmprofileset(int what, size_t value)
{
    static const struct {
        size_t *to, least, most;
    } known[] = {
        {NULL, 0, 0},
        {&vmpf_settings.depth, 1, VMPF_DEPTHMAX},
        {&vmpf_settings.period, 0, SIZE_MAX >> 8},
        {&vmpf_settings.nearby, 1, UINT32_MAX},
        {&vmpf_settings.seed, 0, SIZE_MAX},
        {&vmpf_settings.memory, (size_t)4 << 20, (size_t)VMSK_MOST * 4},
        {&vmpf_settings.interval, 0, UINT32_MAX},
        {NULL, 0, 0},
        {&vmpf_settings.exact, 0, SIZE_MAX >> 1},
        {&vmpf_settings.unused, 0, 1},
    };
    if (vmpf.head != NULL)
        return refuse(EBUSY);
    if (what == VM_PFINHERIT && value <= 1) {
        vmpf_settings.inherit = (int)value;
        return 0;
    }
    if (what <= 0 || what >= (int)(sizeof known / sizeof *known) || known[what].to == NULL ||
        value < known[what].least || value > known[what].most)
        return refuse(EINVAL);
    *known[what].to = value;
    return 0;
}

static int keep_in(const char *path)
{
    int r;
    memcpy(vmpf.path, path, strlen(path) + 1);
    if (vmpf.pid != vmos_pid())
        return refuse(EINVAL);
    pause_all();
    r = vmpf_store_file();
    if (r != 0)
        vmpf.path[0] = '\0';
    __atomic_store_n(&vmpf.off, 0, __ATOMIC_RELEASE);
    return r;
}

int vmprofilefile(const char *path)
{
    int r;
    if (path == NULL || *path == '\0')
        return refuse(EINVAL);
    if (strlen(path) >= VMPF_PATH)
        return refuse(ENAMETOOLONG);
    if (vmpf_start() != 0)
        return refuse(ENOMEM);
    vmos_lock(&starting);
    r = vmpf.path[0] != '\0' || vmpf.off ? refuse(EBUSY) : keep_in(path);
    vmos_unlock(&starting);
    return r;
}

int vmprofilewrite(int fd)
{
    vmpf_book_t *b;
    if (vmpf.head == NULL)
        return refuse(EINVAL);
    vmr_each(note_region);
    if ((b = vmpf_enter()) != NULL) {
        vmpf_tick(b);
        vmpf_leave(b);
    }
    return vmpf_copy(fd, VMPF_CALL, 0);
}
