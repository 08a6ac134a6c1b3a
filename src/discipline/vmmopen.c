/* SPDX-License-Identifier: MIT */
/*
 * vmmopen, vmmshare: open a shared image as a region; vmmvalue, vmmrelease and what else there is to ask
 * of one.
 *
 * The discipline is that of vmdcshare(), and carries the image.
 */
#include "sharing.h"

#include <errno.h>
#include <string.h>

/* ---- opening ---- */

static Vmalloc_t *open(const char *name, Vmshare_t *opt)
{
    Vmalloc_t *vm = NULL;
    Vmdisc_t *disc;

    if (!(opt->flags & VM_SHNEW) && (name != NULL || (opt->flags & VM_SHFD)))
        vm = vmi_share_same(name, opt);
    if (vm != NULL)
        return vm;
    disc = vmdc_sharing(name, opt);
    if (disc == NULL)
        return NULL;
    vm = vmopen(disc, opt->meth != NULL ? opt->meth : Vmbest, 0);
    if (vm == NULL) {
        int e = errno;
        memcpy(opt->why, vmdc_shared(disc)->opt.why, sizeof opt->why);
        vmdcfree(disc);
        errno = e;
    }
    return vm;
}

Vmalloc_t *vmmshare(const char *name, Vmshare_t *options)
{
    Vmshare_t none = {0}, *opt = options != NULL ? options : &none;

    opt->why[0] = '\0';
    return open(name, opt);
}

Vmalloc_t *vmmopen(const char *file, int project, ssize_t size)
{
    Vmshare_t opt = {0};
    char name[VMDC_MEMNAME];

    opt.size = size > 0 ? (size_t)size : 0;
    if (project < 0)
        return open(file, &opt);
    opt.flags = VM_SHMEMORY;
    return open(vmdc_memname(name, file, project), &opt);
}

void vmmrelease(Vmalloc_t *vm, int type)
{
    vmi_share_t *s = vmi_share_of(vm);

    if (s != NULL)
        s->remove = type > 0;
}

/* ---- values ----
 * A list from an area of vmuserdata() that no program's key gets. */

typedef struct value {
    struct value *next;
    long key;
    Void_t *val;
} value_t;

#define KEY 0x766d6d76u /* "vmmv" */

static value_t *find(value_t **list, int key)
{
    value_t *v = *list;

    while (v != NULL && v->key != key)
        v = v->next;
    return v;
}

/* The value is made with the call that it is made for, or not at all: the lock is held. */
static value_t *make(Vmalloc_t *vm, value_t **list, int key)
{
    value_t *v = (*vm->meth.allocf)(vm, sizeof *v, 1);

    if (v == NULL)
        return NULL;
    v->next = *list;
    v->key = key;
    v->val = NULL;
    vmr_note(vm, list, sizeof *list);
    *list = v;
    vmr_took(vm, v); /* it is linked to the region now */
    return v;
}

static Void_t *change(Vmalloc_t *vm, value_t *v, Void_t *val, int op)
{
    if (op == VM_MMGET)
        return v->val;
    vmr_note(vm, &v->val, sizeof v->val);
    v->val = op == VM_MMSET ? val : (Void_t *)((intptr_t)v->val + (intptr_t)val);
    return v->val;
}

Void_t *vmmvalue(Vmalloc_t *vm, int key, Void_t *val, int op)
{
    value_t **list, *v;

    if (vmi_share_of(vm) == NULL || op < VM_MMGET || op > VM_MMADD) {
        errno = EINVAL;
        return NULL;
    }
    vmr_lock(vm);
    list = vmuserdata(vm, KEY, sizeof *list);
    v = list != NULL ? find(list, key) : NULL;
    if (v == NULL && list != NULL && op != VM_MMGET)
        v = make(vm, list, key);
    val = v != NULL ? change(vm, v, val, op) : NULL;
    vmr_unlock(vm);
    return val;
}

/* ---- what the dead left, and who is there ---- */

/* The blocks of one dead process, once what it was in the middle of is undone; its slot is free when none is left
 * to be told of: so that those of many are not looked through at each vmfree(), and those of the last to die are not
 * forgotten for want of slots. */
static int lostof(vmi_share_t *s, unsigned slot, Vmlost_f f, Void_t *handle)
{
    Vmalloc_t *vm = s->vm;
    void **block = vm->data->log->recent[slot].block;
    int i, n = 0, kept = 0;

    vmr_lock(vm);
    vmr_unlock(vm);
    for (i = 0; i < VMR_RECENT; i++) {
        void *p = __atomic_load_n(&block[i], __ATOMIC_RELAXED);
        long size = p != NULL ? (*vm->meth.sizef)(vm, p, 0) : -1;
        if (size < 0)
            continue;
        n++;
        if ((*f)(vm, p, (size_t)size, handle) != 0)
            __atomic_store_n(&block[i], NULL, __ATOMIC_RELAXED);
        else
            kept++;
    }
    if (kept == 0)
        vmi_slot_bury(s, slot);
    return n;
}

int vmmlost(Vmalloc_t *vm, Vmlost_f f, Void_t *handle)
{
    vmi_share_t *s = vmi_share_of(vm);
    unsigned i;
    int n = 0;

    if (s == NULL || f == NULL) {
        errno = EINVAL;
        return -1;
    }
    for (i = 0; i < VMR_SLOTS; i++)
        if (s->head->slot[i].used && !vmi_slot_lives(s, i))
            n += lostof(s, i, f, handle);
    vmr_fewer(vm);
    return n;
}

int vmmshstat(Vmalloc_t *vm, Vmshstat_t *st)
{
    vmi_share_t *s = vmi_share_of(vm);
    unsigned i;

    if (s == NULL || st == NULL) {
        errno = EINVAL;
        return -1;
    }
    memset(st, 0, sizeof *st);
    for (i = 0; i < VMR_SLOTS; i++)
        if (s->head->slot[i].used)
            *(vmi_slot_lives(s, i) ? &st->nproc : &st->ndead) += 1;
    st->died = (unsigned long)vm->data->log->died;
    st->base = s->head;
    st->limit = (size_t)s->head->limit;
    st->size = (size_t)(s->head->data + s->head->size);
    return 0;
}
