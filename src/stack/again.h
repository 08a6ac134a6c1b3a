/* SPDX-License-Identifier: MIT */
/*
 * Stacks that come again, for inlining: what a thread remembers of them, and the look into it.
 * again.c says what it is, and fills it.
 *
 *   head, by sp and pc      where the return address lies that tells most of such stacks apart;
 *                           the entry that was found last: most often it is that one again
 *   entry, by these and it  | key, sp, pc, fp, epoch | value | offset, word | offset, word | ...
 *
 * Cost of a stack that is known by eight words: some 70 instructions, no store.
 */
#ifndef VMSK_AGAIN_H
#define VMSK_AGAIN_H 1

#include "stack.h"

#define VMSK_HEADS 1024u
#define VMSK_ENTRIES 1024u /* in pairs; with 256 a program of many stacks walks twice as much */
#define VMSK_WORDS 56u     /* that one stack is known by; a multiple of VMSK_GROUP */
#define VMSK_GROUP 4u      /* words that are compared before it is asked whether they differ */

typedef struct vmsk_ahead {
    uintptr_t sp, pc;
    uintptr_t caller; /* the word that lay there last */
    uint32_t offset;
    uint32_t last; /* bytes from the entries on to the one that was found last for them */
} vmsk_ahead_t;

typedef struct vmsk_aword {
    uintptr_t offset; /* from sp */
    uintptr_t value;
} vmsk_aword_t;

/* The last word is the farthest.  key 0: nothing is remembered here. */
typedef struct vmsk_aentry {
    uint64_t key;         /* of sp, salt, pc, and the caller's address */
    uint64_t salt;
    uintptr_t sp, pc, fp; /* fp only where based */
    uint64_t epoch;
    uint32_t value;
    uint16_t n, based;
    vmsk_aword_t word[VMSK_WORDS];
} vmsk_aentry_t;

/* See trail.c. */
#define VMSK_TRAIL 192u
typedef struct vmsk_tframe {
    uintptr_t sp, pc, fp;
    uintptr_t at, fpat; /* where pc and fp were loaded from, 0: they were in their registers */
    uintptr_t matters;  /* fp is of use */
    uint64_t rule;      /* to the next frame; 0: there is none */
} vmsk_tframe_t;

struct vmsk_again {
    uintptr_t self, low, high; /* whose stack, and its bounds */
    uint64_t trailepoch;
    unsigned ntrail, trailed, rest; /* frames; the last walk left it; walks to come that leave none */
    int ended, cut; /* the trail's outermost frame is the stack's; there were more than were asked for, or as many */
    vmsk_tframe_t trail[VMSK_TRAIL], fresh[VMSK_TRAIL];
    vmsk_ahead_t heads[VMSK_HEADS];
    uint64_t keys[VMSK_ENTRIES]; /* of the entries, so that those of other stacks need not be read; 0: none */
    uint64_t candidates[VMSK_ENTRIES];
    vmsk_aentry_t entries[VMSK_ENTRIES];
    unsigned turn; /* which one of a pair is replaced next */
};

extern uint64_t vmsk_epoch VMOS_HIDDEN; /* of rules: see rule.c */

VMOS_INLINE vmsk_ahead_t *vmsk_ahead_of(vmsk_again_t *t, const vmos_regs_t *r)
{
    return &t->heads[(r->sp / 16 ^ r->pc) % VMSK_HEADS];
}

/* Of two stacks with the same pc, and the same caller, it is the same for those with the same sp
 * and salt only: the multipliers are odd, and spread differences of addresses over 64 bits. */
VMOS_INLINE uint64_t vmsk_akey(const vmos_regs_t *r, uintptr_t caller, uint64_t salt)
{
    uint64_t x = (r->sp ^ (uint64_t)caller << 20) * 0x9e3779b97f4a7c15u + salt;
    return (x ^ caller ^ r->pc) * 0xd6e8feb86659fd93u;
}

/* Where it lies most likely: what comes often is found there, and the branch foreseen.  And the other one of
 * the pair. */
VMOS_INLINE size_t vmsk_aplace(uint64_t key) { return (size_t)(key >> 54); }
VMOS_INLINE size_t vmsk_abeside(uint64_t key) { return (size_t)(key >> 54 ^ 1); }

VMOS_INLINE VMOS_UNCHECKED uintptr_t vmsk_adiffers(const vmsk_aword_t *w, uintptr_t sp)
{
    return *(const uintptr_t *)(sp + w->offset) ^ w->value;
}

/* The words of the stack are those of the entry; room: bytes from sp on that can be read. */
VMOS_INLINE VMOS_UNCHECKED int vmsk_awords(const vmsk_aentry_t *e, const vmos_regs_t *r,
                                           uintptr_t room)
{
    const vmsk_aword_t *w = e->word, *end = w + e->n;
    if ((e->based && e->fp != r->fp) || end[-1].offset + sizeof(uintptr_t) > room)
        return 0;
    do {
        if (vmsk_adiffers(w, r->sp) | vmsk_adiffers(w + 1, r->sp) | vmsk_adiffers(w + 2, r->sp) |
            vmsk_adiffers(w + 3, r->sp))
            return 0;
        w += VMSK_GROUP;
    } while (w < end);
    return 1;
}

/* The one that was found last, by what its key is made of but the caller, which is one of its words. */
VMOS_INLINE VMOS_UNCHECKED int vmsk_aagain(const vmsk_aentry_t *e, const vmos_regs_t *r,
                                           uint64_t salt, uint64_t epoch, uintptr_t room)
{
    return !((e->salt ^ salt) | (e->pc ^ r->pc) | (e->sp ^ r->sp) | (e->epoch ^ epoch)) &&
           e->key != 0 && vmsk_awords(e, r, room);
}

VMOS_INLINE VMOS_UNCHECKED int vmsk_asame(const vmsk_again_t *t, size_t i, const vmos_regs_t *r,
                                          uint64_t key, uint64_t epoch, uintptr_t room)
{
    const vmsk_aentry_t *e = &t->entries[i];
    return t->keys[i] == key && !((e->pc ^ r->pc) | (e->epoch ^ epoch)) && vmsk_awords(e, r, room);
}

/* The entry of the stack that r begins, or NULL; *key gets what it is to be remembered by, or 0. */
VMOS_INLINE VMOS_UNCHECKED vmsk_aentry_t *vmsk_again_find(vmsk_again_t *t, const vmos_regs_t *r,
                                                          uint64_t salt, uint64_t epoch,
                                                          uint64_t *key)
{
    vmsk_ahead_t *h = vmsk_ahead_of(t, r);
    uintptr_t room = t->high - r->sp, caller;
    vmsk_aentry_t *e = (vmsk_aentry_t *)(void *)((char *)t->entries + h->last);
    size_t i;
    *key = 0;
    if (VMOS_UNLIKELY(h->sp != r->sp || h->pc != r->pc || t->self != vmos_self() ||
                      room > t->high - t->low || h->offset + sizeof(room) > room))
        return NULL;
    caller = *(const uintptr_t *)(r->sp + h->offset);
    if (VMOS_LIKELY(caller == h->caller) && VMOS_LIKELY(vmsk_aagain(e, r, salt, epoch, room)))
        return e;
    *key = vmsk_akey(r, caller, salt);
    i = vmsk_aplace(*key);
    if (!vmsk_asame(t, i, r, *key, epoch, room)) {
        i = vmsk_abeside(*key);
        if (VMOS_UNLIKELY(!vmsk_asame(t, i, r, *key, epoch, room)))
            return NULL;
    }
    e = &t->entries[i];
    h->caller = caller;
    h->last = (uint32_t)((char *)e - (char *)t->entries);
    return e;
}

/* Of the stack of the trail, n entries: the words that it depends on, into e, whose sp, pc and fp are set.
 * 0, -1: it cannot be remembered. */
int vmsk_trail_study(vmsk_again_t *t, vmsk_aentry_t *e, const vmos_regs_t *r, size_t n);

/* It is not known: the bounds for the next time, and *here for vmsk_remember(). */
void vmsk_again_missed(vmsk_again_t *t, vmsk_here_t *here, const vmos_regs_t *r, uint64_t key,
                       uint64_t salt, uint64_t epoch);

#endif
