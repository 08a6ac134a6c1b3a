/* SPDX-License-Identifier: MIT */
/* fence 139: free(0x[d9]*): not a block: an address that was read from a freed block */
/* guard: use after free: read, at offset 0 of a freed block of 16 bytes */
#include "_crime.h"

struct node {
    struct node *next;
    long number;
};

void crime(int right)
{
    struct node *list = NULL, *next;
    for (int i = 0; i < 3; i++) {
        struct node *n = (struct node *)(void *)block(16);
        n->next = list;
        list = n;
    }
    for (struct node *n = list; n != NULL; n = next) {
        next = right ? n->next : NULL;
        free(n);
        if (!right)
            next = ((struct node *volatile *)hide(n))[0];
    }
}
