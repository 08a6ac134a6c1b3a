/* SPDX-License-Identifier: MIT */
/*
 * share: what the files of shared images have in common.  Knows region, base and os.
 *
 * An object (a file, or memory) is mapped whole, at the address that it was made for:
 *
 *   base                                             + data                 + data + size   + limit
 *   | head, slots | leaf | leaf | ... of the page map | the region's segment | not there yet |
 *     HEAD          LEAF each, for the addresses base + k * VMB_LEAFSPAN
 *
 * Offsets in the object are those in memory, so all is one mapping, made once: where the object is
 * made longer, the memory behind it is there for all processes at that moment.  What was never
 * touched takes no room on the disk.
 *
 * Invariants
 *   1. What tells how the object is laid out (up to `sum`) is written once, before state.
 *   2. state is MADE once the region stands.  Who finds it otherwise holds lock 0, and so its maker is
 *      dead: it is made anew.  Lock 0 is held from looking at the head until the region is open.
 *   3. A process has lock 1 + slot as long as it uses the region, and the slot is marked used; a slot
 *      that is used but not locked is that of a dead process, unless that process has lost its
 *      descriptors: the slot says which process it is, so that it is not taken for dead.
 */
#ifndef VM_IMAGE_SHARE_H
#define VM_IMAGE_SHARE_H 1

#include "region.h"

#include <vmalloc/share.h>

#define VMI_SHEAD 65536u /* a multiple of the pages of all systems, as all parts are */
#define VMI_SLEAF ((size_t)VMB_UP(VMB_LEAFBYTES, 65536))
#define VMI_SVERSION 1u
#define VMI_SORDER 0x01020304u
#define VMI_SMADE 0x6d616465u

typedef struct vmi_slot {
    uint64_t boot, space; /* which system's process it is, and in which space of numbers */
    uint64_t began;       /* when */
    uint32_t pid;
    uint16_t taken;       /* times the slot was taken: part of its process' number */
    uint16_t used;
} vmi_slot_t;

typedef struct vmi_shead {
    char magic[8];
    uint32_t version, order, word, meth;
    uint64_t base, limit, data; /* as above */
    uint64_t id;                /* no two objects have the same */
    uint64_t sum;               /* of all before */
    uint32_t state;             /* VMI_SMADE */
    uint32_t unused;
    uint64_t size; /* of the segment */
    uint64_t root; /* address of its Vmdata_t */
    vmi_slot_t slot[VMR_SLOTS];
} vmi_shead_t;
_Static_assert(sizeof(vmi_shead_t) <= VMI_SHEAD, "slots lie in the head");

enum { VMI_CLOSED, VMI_BEGUN, VMI_OPEN };

/* One use of an object by this process. */
typedef struct vmi_share {
    vmr_peer_t peer;      /* first */
    struct vmi_share *next; /* of those open */
    Vmalloc_t *vm;
    vmi_shead_t *head;
    int fd, state;
    int remove;           /* the name goes with it */
    unsigned meth;        /* VM_MT... */
    vmos_object_t object;
    Vmshare_t opt;
    char name[256];       /* longer ones are not taken */
} vmi_share_t;

/* ---- head and layout (share_head.c) ---- */

/* Bytes that lie before the segment when limit addresses are set aside. */
uint64_t vmi_share_data(uint64_t limit);
/* A new head; -1 (EADDRINUSE): no address. */
int vmi_share_make(vmi_shead_t *head, const Vmshare_t *opt, unsigned meth);
/* 0 when it can be gone on with, in an object of filesize bytes; else -1 with errno and why. */
int vmi_share_valid(const vmi_shead_t *head, uint64_t filesize, char *why, size_t n);
/* Have memory for [from, to) of the segment, and for what the page map has of it. */
int vmi_share_grow(int fd, const vmi_shead_t *head, uint64_t from, uint64_t to);
/* Map the object, in place of nothing, and let the page map use it; and back. */
vmi_shead_t *vmi_share_map(int fd, const vmi_shead_t *head);
void vmi_share_unmap(vmi_shead_t *head, size_t limit);

/* ---- opening and closing (share_open.c) ---- */

/* Open s->name, or s->opt.fd, for a method: 0 the region is to be made, 1 it is there, in *root; -1 with errno and
 * s->opt.why. */
int vmi_share_open(vmi_share_t *s, unsigned meth, Void_t **root);
/* The region stands. */
void vmi_share_opened(vmi_share_t *s, Vmalloc_t *vm);
/* Leave it; also when it was only begun, or not at all. */
void vmi_share_close(vmi_share_t *s);
/* The region of this process whose object that is, opened once more; NULL: none. */
Vmalloc_t *vmi_share_same(const char *name, const Vmshare_t *opt);
/* That of vm, NULL with EINVAL. */
vmi_share_t *vmi_share_of(Vmalloc_t *vm);

/* ---- processes (share_slot.c) ---- */

/* Take a slot.  -1 (EUSERS): all are taken. */
int vmi_slot_take(vmi_share_t *s);
void vmi_slot_leave(vmi_share_t *s);
/* Free the slot of a dead process, of which nothing is to be told any more. */
void vmi_slot_bury(vmi_share_t *s, unsigned slot);
/* Whether the process of a used slot lives, and whether that of any other than this one does. */
int vmi_slot_lives(const vmi_share_t *s, unsigned slot);
int vmi_slot_others(const vmi_share_t *s);
/* In the child of a fork: nobody else holds a lock of its copy. */
void vmi_share_forked(void);
/* For vmr_peer_t. */
int vmi_slot_alive(void *peer, uint32_t who);
int vmi_slot_forked(vmr_peer_t *peer);

#endif
