/* SPDX-License-Identifier: MIT */
/*
 * report_tree: stacks joined to a tree, innermost function first: under each function those that
 * called it.  Callers of one node are found through a hash table of (node, frame), so the tree is
 * made in time linear in the sum of stacks' lengths.
 */
#include "report.h"

#include <stdlib.h>

typedef struct tree {
    report_node_t **slots;
    size_t mask, n;
} tree_t;

static size_t slot_of(const tree_t *t, const report_node_t *parent, uint32_t frame)
{
    uint64_t h =
        ((uint64_t)(uintptr_t)parent ^ (uint64_t)frame << 40 ^ frame) * 0x9e3779b97f4a7c15u;
    size_t i = (size_t)(h >> 20) & t->mask;

    while (t->slots[i] && (t->slots[i]->parent != parent || t->slots[i]->frame != frame))
        i = (i + 1) & t->mask;
    return i;
}

static int grow(tree_t *t)
{
    tree_t more = {NULL, t->slots ? 2 * t->mask + 1 : 1023, t->n};
    size_t i;

    more.slots = calloc(more.mask + 1, sizeof(*more.slots));
    if (!more.slots)
        return -1;
    for (i = 0; t->slots && i <= t->mask; i++)
        if (t->slots[i])
            more.slots[slot_of(&more, t->slots[i]->parent, t->slots[i]->frame)] = t->slots[i];
    free(t->slots);
    *t = more;
    return 0;
}

static report_node_t *child(tree_t *t, report_node_t *parent, uint32_t frame)
{
    report_node_t *node;
    size_t i;

    if ((!t->slots || 2 * t->n > t->mask) && grow(t) != 0)
        return NULL;
    i = slot_of(t, parent, frame);
    if (t->slots[i])
        return t->slots[i];
    node = calloc(1, sizeof(*node));
    if (!node)
        return NULL;
    node->frame = frame;
    node->parent = parent;
    node->next = parent->first;
    parent->first = node;
    t->slots[i] = node;
    t->n++;
    return node;
}

static int add_site(tree_t *t, report_node_t *root, const report_names_t *names,
                    const profile_site_t *s, uint64_t value, uint64_t blocks, uint64_t whole)
{
    size_t n, i;
    const uint32_t *frames = report_stack(names, s->stack, &n);
    report_node_t *node = root;

    node->value += value;
    node->blocks += blocks;
    node->whole += whole;
    for (i = 0; i < n; i++) {
        node = child(t, node, frames[i]);
        if (!node)
            return -1;
        node->value += value;
        node->blocks += blocks;
        node->whole += whole;
    }
    return 0;
}

/* Largest first, by merging. */
static report_node_t *sorted(report_node_t *list)
{
    report_node_t *a = list, *b = list, *result = NULL, **end = &result;

    if (!list || !list->next)
        return list;
    while (b->next && b->next->next) {
        a = a->next;
        b = b->next->next;
    }
    b = a->next;
    a->next = NULL;
    a = sorted(list);
    b = sorted(b);
    while (a && b) {
        report_node_t **larger = a->value >= b->value ? &a : &b;

        *end = *larger;
        end = &(*larger)->next;
        *larger = *end;
    }
    *end = a ? a : b;
    return result;
}

static void sort_all(report_node_t *node)
{
    node->first = sorted(node->first);
    for (node = node->first; node; node = node->next)
        sort_all(node);
}

report_node_t *report_tree_make(const profile_t *p, const report_names_t *names,
                                const report_measure_t *m)
{
    report_node_t *root = calloc(1, sizeof(*root));
    tree_t t = {NULL, 0, 0};
    int failed = !root;
    size_t i;

    for (i = 0; i < p->nsites && !failed; i++) {
        const profile_site_t *s = &p->sites[i];
        uint64_t value = m->of(s), whole = m->whole ? m->whole(p, s) : 0;

        failed = (value > 0 || whole > 0) &&
                 add_site(&t, root, names, s, value, m->blocks(s), whole) != 0;
    }
    free(t.slots);
    if (failed) {
        report_tree_free(root);
        return NULL;
    }
    sort_all(root);
    return root;
}

void report_tree_free(report_node_t *root)
{
    report_node_t *node, *next;

    if (!root)
        return;
    for (node = root->first; node; node = next) {
        next = node->next;
        report_tree_free(node);
    }
    free(root);
}
