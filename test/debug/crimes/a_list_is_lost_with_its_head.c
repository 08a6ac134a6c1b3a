/* SPDX-License-Identifier: MIT */
/* both: leak: 1 block of 16 bytes lost */
#include "_crime.h"

typedef struct node {
    struct node *next;
    long value;
} node_t;

static node_t *head;

static node_t *make(node_t *next)
{
    node_t *n = (node_t *)(void *)block(sizeof *n);
    n->next = next;
    n->value = 0;
    return n;
}

void crime(int right)
{
    head = make(make(make(NULL)));
    if (!right)
        head = NULL;
}
