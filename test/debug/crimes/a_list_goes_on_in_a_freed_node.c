/* SPDX-License-Identifier: MIT */
/* fence 139: use after free: access, an address was read from a freed block */
/* guard: use after free: read, at offset 0 of a freed block of 16 bytes */
#include "_crime.h"

struct node {
    struct node *next;
    int value;
};

void crime(int right)
{
    struct node *a = (struct node *)(void *)block(sizeof *a), *b = (struct node *)(void *)block(sizeof *b);
    struct node *next = b;
    a->next = b;
    b->next = NULL;
    if (right)
        next = b->next;
    free(b);
    if (!right)
        next = ((volatile struct node *)hide(a->next))->next;
    if (next != NULL)
        get(next, 8);
    free(a);
}
