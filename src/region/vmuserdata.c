/* SPDX-License-Identifier: MIT */
/*
 * vmuserdata: areas of a region that are found by a number.
 *
 *   data->user -> | next | key | gap | area, aligned to VM_ALIGN |  -> ...      newest first
 *
 * Blocks of the region itself, so they go with it.  Cost: linear in the number of areas.
 */
#include "parts.h"

#include <string.h>

#define USERHEAD VMB_UP(sizeof(vmr_user_t), VM_ALIGN)

static vmr_user_t *find(const Vmdata_t *data, unsigned int key)
{
    vmr_user_t *u = data->user;

    while (u != NULL && u->key != key)
        u = u->next;
    return u;
}

/* Allocating may let go of the lock for the VM_NOMEM handler: another thread may be first. */
static vmr_user_t *make(Vmalloc_t *vm, unsigned int key, size_t size)
{
    vmr_user_t *u, *other;

    if (vmb_addover(size, USERHEAD, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    u = (*vm->meth.allocf)(vm, size, 1);
    if (u == NULL)
        return NULL;
    other = find(vm->data, key);
    if (other != NULL) {
        (*vm->meth.freef)(vm, u, 1);
        return other;
    }
    memset(u, 0, size);
    u->key = key;
    u->next = vm->data->user;
    vmr_note(vm, &vm->data->user, sizeof vm->data->user);
    vm->data->user = u;
    if (vmr_shared(vm))
        vmr_took(vm, u); /* it is linked to the region now */
    return u;
}

Void_t *vmuserdata(Vmalloc_t *vm, unsigned int key, ssize_t size)
{
    vmr_user_t *u;

    if (vmr_live(vm) == NULL)
        return NULL;
    vmr_lock(vm);
    u = find(vm->data, key);
    if (u == NULL && size > 0)
        u = make(vm, key, (size_t)size);
    vmr_unlock(vm);
    return u != NULL ? (char *)u + USERHEAD : NULL;
}

static void unlink(Vmalloc_t *vm, vmr_user_t **at)
{
    vmr_note(vm, at, sizeof *at);
    *at = (*at)->next;
}

void vmr_forget(Vmalloc_t *vm, const void *from, const void *end)
{
    vmr_user_t **at = &vm->data->user;

    while (*at != NULL)
        if ((const char *)*at >= (const char *)from && (const char *)*at < (const char *)end)
            unlink(vm, at);
        else
            at = &(*at)->next;
}
