/* SPDX-License-Identifier: MIT */
/*
 * vmname: a region's name, which lies in the region and so stays with one that is kept.
 */
#include "parts.h"

const char *vmname(Vmalloc_t *vm, const char *name)
{
    Vmdata_t *data;
    size_t i;

    if (vmr_live(vm) == NULL)
        return NULL;
    data = vm->data;
    if (name != NULL) {
        vmr_lock(vm);
        vmr_note(vm, data->name, sizeof data->name);
        for (i = 0; i < sizeof data->name - 1 && name[i] != '\0'; i++)
            data->name[i] = name[i];
        for (; i < sizeof data->name; i++)
            data->name[i] = '\0';
        vmr_unlock(vm);
    }
    return data->name;
}
