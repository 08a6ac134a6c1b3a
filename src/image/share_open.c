/* SPDX-License-Identifier: MIT */
/*
 * share_open: a process comes to a shared image, and leaves it.
 *
 *   open  ->  lock 0  ->  the name still leads there?  ->  made?   no: lay it out      ->  map
 *                                                                 yes: check its head  ->  map
 *   slot  ->  vmopen() makes the region, or takes part in it  ->  lock 0 is free
 *
 * Whoever dies on the way leaves lock 0 free, and an object that is not MADE: the next one makes it anew.
 *
 * When nobody used the image as the system went down, all of it is on the disk as it was.  Else the
 * system wrote what it liked: then the region's method makes everything anew from what it knows for
 * sure, as after a call that could not be undone.
 */
#include "share.h"

#include <errno.h>
#include <string.h>

static vmi_share_t *shares; /* that are open */
static vmos_lock_t sharelock;

#define RETRIES 100 /* names that lead elsewhere once their object is locked */

static int fail(vmi_share_t *s, const char *sentence)
{
    vmb_out_t o;

    vmb_out_init(&o, s->opt.why, sizeof s->opt.why);
    vmb_printf(&o, "%s", sentence);
    return -1;
}

static int failas(vmi_share_t *s, int e, const char *sentence)
{
    errno = e;
    return fail(s, sentence);
}

/* ---- the list of those that are open ---- */

static vmi_share_t *known(const vmos_object_t *object)
{
    vmi_share_t *s = shares;

    while (s != NULL && (s->object.dev != object->dev || s->object.ino != object->ino))
        s = s->next;
    return s;
}

static int isknown(const vmos_object_t *object)
{
    int is;

    vmos_lock(&sharelock);
    is = known(object) != NULL;
    vmos_unlock(&sharelock);
    return is;
}

static void enter(vmi_share_t *s)
{
    vmos_lock(&sharelock);
    s->next = shares;
    shares = s;
    vmos_unlock(&sharelock);
}

static void leave(vmi_share_t *s)
{
    vmi_share_t **at = &shares;

    vmos_lock(&sharelock);
    while (*at != NULL && *at != s)
        at = &(*at)->next;
    if (*at != NULL)
        *at = s->next;
    vmos_unlock(&sharelock);
}

vmi_share_t *vmi_share_of(Vmalloc_t *vm)
{
    vmi_share_t *s;

    vmos_lock(&sharelock);
    for (s = shares; s != NULL && (vm == NULL || s->vm != vm);)
        s = s->next;
    vmos_unlock(&sharelock);
    if (s == NULL)
        errno = EINVAL;
    return s;
}

void vmi_share_forked(void)
{
    sharelock = (vmos_lock_t){0, 0};
}

/* ---- the object ---- */

static int descriptor(const char *name, const Vmshare_t *opt, int create)
{
    int flags = (create ? VMOS_CREATE : 0) | (opt->flags & VM_SHMEMORY ? VMOS_MEMORY : 0);

    if (opt->flags & VM_SHFD)
        return vmos_object_again(opt->fd);
    return vmos_object_open(name, flags, opt->mode != 0 ? (unsigned)opt->mode : 0600);
}

Vmalloc_t *vmi_share_same(const char *name, const Vmshare_t *opt)
{
    vmos_object_t object;
    vmi_share_t *s = NULL;
    int fd = descriptor(name, opt, 0), e = errno;
    Vmalloc_t *vm = NULL;

    if (fd < 0)
        return NULL;
    if (vmos_object_stat(fd, &object) == 0) {
        vmos_lock(&sharelock);
        s = known(&object);
        if (s != NULL && (vm = s->vm) != NULL)
            vmr_again(vm);
        vmos_unlock(&sharelock);
    }
    vmos_object_close(fd);
    errno = e;
    return vm;
}

/* Open it with lock 0; again when the name leads elsewhere by then. */
static int reach(vmi_share_t *s)
{
    int named = !(s->opt.flags & VM_SHFD), i;

    for (i = 0; i < RETRIES; i++) {
        s->fd = descriptor(s->name, &s->opt, !(s->opt.flags & VM_SHEXIST));
        if (s->fd < 0)
            return fail(s, "it cannot be opened");
        if (vmos_object_stat(s->fd, &s->object) == 0 && isknown(&s->object))
            return failas(s, EBUSY, "this process has it open");
        if (vmos_object_lock(s->fd, 0, 1) < 0 || vmos_object_stat(s->fd, &s->object) < 0)
            return fail(s, "it cannot be locked");
        if (s->object.named || !named)
            return 0;
        vmos_object_close(s->fd);
        s->fd = -1;
    }
    return failas(s, ENOENT, "its name leads elsewhere each time");
}

static int trusted(vmi_share_t *s)
{
    if (s->object.uid == vmos_uid() || s->object.uid == 0 || (s->opt.flags & VM_SHFOREIGN))
        return 0;
    return failas(s, EPERM, "it belongs to another user");
}

/* A copy of the head that no other process changes; 0: the object has none yet.  How long the object is, is asked
 * after that: another process may make both longer meanwhile, the object first. */
static int readhead(vmi_share_t *s, vmi_shead_t *head)
{
    if (s->object.size == 0)
        return 0;
    memset(head, 0, sizeof *head);
    if (vmos_object_read(s->fd, head, sizeof *head, 0) < 0 || vmos_object_stat(s->fd, &s->object) < 0)
        return fail(s, "it cannot be read");
    if (vmi_share_valid(head, s->object.size, s->opt.why, sizeof s->opt.why) < 0)
        return -1;
    return head->state == VMI_SMADE;
}

static int map(vmi_share_t *s, const vmi_shead_t *head)
{
    s->head = vmi_share_map(s->fd, head);
    if (s->head == NULL)
        return fail(s, errno == EADDRINUSE ? "its addresses are taken in this process"
                                           : "it cannot be mapped");
    s->peer.lo = (char *)s->head + VMI_SHEAD;
    s->peer.hi = (char *)s->head + head->limit;
    return 0;
}

/* The head is in the object, and nothing else is.  It is written before the object has any other byte:
 * who finds a byte that is no head's has found a file of somebody else. */
static int lay(vmi_share_t *s, vmi_shead_t *head)
{
    if (vmi_share_make(head, &s->opt, s->meth) < 0)
        return fail(s, "there is no address for it");
    if (vmos_object_cut(s->fd, 0) < 0 || vmos_object_write(s->fd, head, sizeof *head, 0) < 0 ||
        vmos_object_cut(s->fd, head->data) < 0)
        return fail(s, "there is no room for it");
    return map(s, head);
}

/* A part of a region that is there. */
static int join(vmi_share_t *s, const vmi_shead_t *head)
{
    if (s->opt.flags & VM_SHNEW)
        return failas(s, EEXIST, "it is there already");
    if (head->meth != s->meth)
        return failas(s, EPROTO, "it was made with another method");
    return map(s, head);
}

/* The system may have gone down while it was in use. */
static void suspect(const vmi_share_t *s)
{
    Vmdata_t *data = (Vmdata_t *)(uintptr_t)s->head->root;
    unsigned i, lost = 0;

    if (vmi_slot_others(s) || !vmr_sane(data, &s->peer))
        return;
    for (i = 0; i < VMR_SLOTS; i++)
        if (s->head->slot[i].used && i != s->peer.slot && s->head->slot[i].boot != vmos_bootid()) {
            s->head->slot[i].used = 0;
            lost = 1;
        }
    if (lost)
        data->log->lost = 1;
}

static int begin(vmi_share_t *s, Void_t **root)
{
    vmi_shead_t head;
    int r;

    if (!(s->meth & (VM_MTBEST | VM_MTLAST | VM_MTPOOL)))
        return failas(s, ENOTSUP, "the method is not one that processes can share");
    if (reach(s) < 0 || trusted(s) < 0 || (r = readhead(s, &head)) < 0)
        return -1;
    if (r == 0 && (s->opt.flags & VM_SHEXIST))
        return failas(s, ENOENT, "it was never completed");
    if ((r > 0 ? join(s, &head) : lay(s, &head)) < 0)
        return -1;
    if (vmi_slot_take(s) < 0)
        return fail(s, "too many processes use it");
    if (r > 0)
        suspect(s);
    *root = r > 0 ? (Void_t *)(uintptr_t)head.root : NULL;
    return r;
}

static void failed(vmr_peer_t *peer)
{
    vmi_share_close((vmi_share_t *)peer);
}

int vmi_share_open(vmi_share_t *s, unsigned meth, Void_t **root)
{
    int r;

    s->peer.alivef = vmi_slot_alive;
    s->peer.forkedf = vmi_slot_forked;
    s->peer.failedf = failed;
    s->peer.slot = VMR_SLOTS;
    s->fd = -1;
    s->state = VMI_BEGUN;
    s->meth = meth;
    s->opt.why[0] = '\0';
    r = begin(s, root);
    if (r < 0)
        vmi_share_close(s);
    return r;
}

void vmi_share_opened(vmi_share_t *s, Vmalloc_t *vm)
{
    s->vm = vm;
    s->head->root = (uintptr_t)vm->data;
    __atomic_store_n(&s->head->state, VMI_SMADE, __ATOMIC_RELEASE);
    s->state = VMI_OPEN;
    enter(s);
    vmos_object_unlock(s->fd, 0);
}

void vmi_share_close(vmi_share_t *s)
{
    int e = errno;

    if (s->state == VMI_CLOSED)
        return;
    leave(s);
    if (s->head != NULL) {
        vmi_slot_leave(s);
        vmi_share_unmap(s->head, (size_t)(s->peer.hi - (char *)s->head));
    }
    if (s->fd >= 0 && s->state == VMI_OPEN && s->remove && !(s->opt.flags & VM_SHFD))
        vmos_object_remove(s->name, s->opt.flags & VM_SHMEMORY ? VMOS_MEMORY : 0);
    if (s->fd >= 0)
        vmos_object_close(s->fd);
    s->head = NULL;
    s->vm = NULL;
    s->fd = -1;
    s->state = VMI_CLOSED;
    errno = e;
}
