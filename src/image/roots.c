/* SPDX-License-Identifier: MIT */
/*
 * roots: names in an image.
 *
 *   meta pages   | vmi_meta_t ... 4096 | root 0 | root 1 | ... | nroots |
 *
 * An entry is free when its name is empty.  They lie beside the region and not in it, so that every
 * method can have them.  Cost: linear in their number, a word for each.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define ROOTS 4096 /* where they begin */
#define MOST 2000

typedef struct root {
    uint64_t hash; /* of the name; 0: free */
    char name[VM_ROOTNAME];
    void *value;
    uint64_t type;
    uint32_t version, unused;
} root_t;
_Static_assert(ROOTS + MOST * sizeof(root_t) <= VMI_METASIZE, "the roots fit");

static root_t *table(const vmi_t *img)
{
    return (root_t *)(void *)((char *)img->head + ROOTS);
}

/* What a file says is not trusted: no more than there can be. */
static uint64_t count(const vmi_t *img)
{
    return VMB_MIN(img->head->nroots, (uint64_t)MOST);
}

static uint64_t hashof(const char *name)
{
    uint64_t h = 14695981039346656037ULL; /* FNV-1a (Fowler, Noll, Vo) */
    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211ULL;
    return h != 0 ? h : 1;
}

static root_t *find(const vmi_t *img, const char *name)
{
    uint64_t h = hashof(name), i;
    root_t *r = table(img);
    for (i = 0; i < count(img); i++)
        if (r[i].hash == h && strncmp(r[i].name, name, VM_ROOTNAME) == 0)
            return &r[i];
    return NULL;
}

static root_t *add(vmi_t *img, const char *name)
{
    root_t *r = table(img);
    uint64_t i = 0;
    while (i < count(img) && r[i].hash != 0)
        i++;
    if (i == MOST) {
        errno = ENOSPC;
        return NULL;
    }
    if (i == img->head->nroots)
        img->head->nroots = i + 1;
    memset(&r[i], 0, sizeof r[i]);
    memcpy(r[i].name, name, strlen(name));
    r[i].hash = hashof(name);
    return &r[i];
}

static void tell(const root_t *r, Vmroot_t *root)
{
    memcpy(root->name, r->name, VM_ROOTNAME);
    root->name[VM_ROOTNAME - 1] = '\0';
    root->value = r->value;
    root->type = (unsigned long)r->type;
    root->version = r->version;
}

/* Values that are no addresses of the region stay: what they mean is the program's. */
void vmi_roots_move(vmi_t *img, Vmmove_t *m)
{
    root_t *r = table(img);
    uint64_t i;
    for (i = 0; i < count(img); i++) {
        char *p = r[i].value;
        if (r[i].hash != 0 && p >= m->from && p <= m->end)
            r[i].value = p + m->by;
    }
}

int vmrootset(Vmalloc_t *vm, const char *name, Void_t *value, unsigned long type, unsigned int version)
{
    vmi_t *img;
    root_t *r;
    if (name == NULL || name[0] == '\0' || strlen(name) >= VM_ROOTNAME) {
        errno = name == NULL || name[0] == '\0' ? EINVAL : ENAMETOOLONG;
        return -1;
    }
    if ((img = vmi_enter(vm)) == NULL)
        return -1;
    r = find(img, name);
    if (r == NULL)
        r = add(img, name);
    if (r != NULL) {
        r->value = value;
        r->type = type;
        r->version = version;
    }
    vmi_leave(img);
    return r != NULL ? 0 : -1;
}

Void_t *vmrootget(Vmalloc_t *vm, const char *name, Vmroot_t *root)
{
    vmi_t *img = vmi_enter(vm);
    const root_t *r;
    Void_t *value = NULL;
    if (img == NULL)
        return NULL;
    r = name != NULL ? find(img, name) : NULL;
    if (r == NULL)
        errno = ENOENT;
    else
        value = r->value;
    if (r != NULL && root != NULL)
        tell(r, root);
    vmi_leave(img);
    return value;
}

int vmrootdel(Vmalloc_t *vm, const char *name)
{
    vmi_t *img = vmi_enter(vm);
    root_t *r;
    if (img == NULL)
        return -1;
    r = name != NULL ? find(img, name) : NULL;
    if (r == NULL)
        errno = ENOENT;
    else
        memset(r, 0, sizeof *r);
    vmi_leave(img);
    return r != NULL ? 0 : -1;
}

int vmrootwalk(Vmalloc_t *vm, Vmroot_f f, Void_t *handle)
{
    vmi_t *img = vmi_enter(vm);
    Vmroot_t root;
    uint64_t i;
    int r = 0;
    if (img == NULL)
        return -1;
    for (i = 0; r >= 0 && i < count(img); i++)
        if (table(img)[i].hash != 0) {
            tell(&table(img)[i], &root);
            r = (*f)(vm, &root, handle);
        }
    vmi_leave(img);
    return r;
}
