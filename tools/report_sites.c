/* SPDX-License-Identifier: MIT */
/*
 * report_sites: what the lines of a list stand for: functions that ask for memory, and not a program's own
 * malloc() through which all of them ask.
 *
 *   tree     jv_mem_alloc <- jvp_string_alloc <- found_string          list    found_string, through ...
 *                         <- jvp_object_new   <- parse_token                   parse_token, through ...
 *
 * A function with "alloc" or the like in its name gives way to its callers, where these are several or
 * give way themselves; with one caller it stays, for it may itself be at fault.  Nothing is lost: a line names what it came through.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST 10 /* a caller that has all but one in so many is as good as the only one */

static int is_allocator(const char *name)
{
    static const char *const words[] = {"alloc", "strdup", "strndup", "memdup"};
    size_t i, n;

    for (; *name; name++)
        for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
            n = strlen(words[i]);
            if (strncasecmp(name, words[i], n) == 0)
                return 1;
        }
    return 0;
}

/* The callers are sorted, the largest first. */
static int gives_way(const report_node_t *node, const report_names_t *names)
{
    const report_node_t *c;
    uint64_t sum = 0;

    if (!node->first || !is_allocator(report_frame(names, node->frame)->function))
        return 0;
    for (c = node->first; c; c = c->next)
        sum += c->value;
    if (sum != node->value)
        return 0; /* some did not come from there */
    return sum - node->first->value >= sum / MOST + 1 || gives_way(node->first, names);
}

typedef struct list {
    const report_node_t **nodes;
    size_t n, room;
} list_t;

static int add(list_t *l, const report_node_t *node, const report_names_t *names)
{
    if (gives_way(node, names)) {
        for (node = node->first; node; node = node->next)
            if (add(l, node, names) != 0)
                return -1;
        return 0;
    }
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        const report_node_t **more = realloc(l->nodes, room * sizeof(*more));

        if (!more)
            return -1;
        l->nodes = more;
        l->room = room;
    }
    l->nodes[l->n++] = node;
    return 0;
}

/* Of equal ones the order of the tree. */
static int by_value(const void *a, const void *b)
{
    const report_node_t *x = *(const report_node_t *const *)a, *y = *(const report_node_t *const *)b;

    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

const report_node_t **report_sites(const report_node_t *root, const report_names_t *names, size_t *n)
{
    list_t l = {calloc(1, sizeof(*l.nodes)), 0, 1};
    const report_node_t *node;
    int failed = !l.nodes;

    for (node = root->first; node && !failed; node = node->next)
        failed = add(&l, node, names) != 0;
    if (failed) {
        free(l.nodes);
        return NULL;
    }
    qsort(l.nodes, l.n, sizeof(*l.nodes), by_value);
    *n = l.n;
    return l.nodes;
}
