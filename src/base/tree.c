/* SPDX-License-Identifier: MIT */
/*
 * An ordered tree: a treap (Seidel and Aragon, "Randomized Search Trees", Algorithmica 16, 1996).
 *
 *              (40, p 91)              left to right: cmp order
 *             /          \             top to bottom: falling priorities
 *       (17, p 80)     (55, p 64)
 *             \          /
 *      (23, p 12)  (48, p 7)
 *
 * The priority of a node is a hash of its address, so it is stored nowhere, and the shape depends
 * on the set of nodes alone, not on the order of operations.  The hash is one-to-one: no two
 * priorities are equal.
 *
 * Invariants: in-order, cmp rises strictly; each child's priority is below its parent's.
 * Cost: expected O(log n) steps for each call, nowhere recursive; inserting and removing rewrite
 * about two links beyond the way down.  vmb_tree_check() takes O(n).
 */
#include "base.h"

#define MAXDEPTH 256 /* expected is below 50 for any number of nodes that memory holds */

VMOS_INLINE uint64_t priority(const vmb_node_t *t)
{
    return vmb_mix((uintptr_t)t);
}

/* Down to where the priority puts the node; what stands there is split by order to its sides. */
void vmb_tree_insert(vmb_node_t **root, vmb_node_t *node, vmb_cmp_f cmp)
{
    vmb_node_t **at = root, *t, **low = &node->left, **high = &node->right;
    uint64_t p = priority(node);
    while ((t = *at) != NULL && priority(t) > p)
        at = cmp(node, t) < 0 ? &t->left : &t->right;
    *at = node;
    while (t != NULL) {
        if (cmp(t, node) < 0) {
            *low = t;
            low = &t->right;
            t = *low;
        } else {
            *high = t;
            high = &t->left;
            t = *high;
        }
    }
    *low = *high = NULL;
}

/* The two subtrees are zipped together by priority and take the node's place. */
void vmb_tree_remove(vmb_node_t **root, vmb_node_t *node, vmb_cmp_f cmp)
{
    vmb_node_t **at = root, *l = node->left, *r = node->right;
    while (*at != node) {
        if (*at == NULL)
            return; /* not in the tree */
        at = cmp(node, *at) < 0 ? &(*at)->left : &(*at)->right;
    }
    while (l != NULL && r != NULL) {
        if (priority(l) > priority(r)) {
            *at = l;
            at = &l->right;
            l = *at;
        } else {
            *at = r;
            at = &r->left;
            r = *at;
        }
    }
    *at = l != NULL ? l : r;
}

vmb_node_t *vmb_tree_ceil(vmb_node_t *root, const vmb_node_t *key, vmb_cmp_f cmp)
{
    vmb_node_t *best = NULL;
    while (root != NULL) {
        int c = cmp(root, key);
        if (c == 0)
            return root;
        if (c > 0)
            best = root;
        root = c > 0 ? root->left : root->right;
    }
    return best;
}

vmb_node_t *vmb_tree_floor(vmb_node_t *root, const vmb_node_t *key, vmb_cmp_f cmp)
{
    vmb_node_t *best = NULL;
    while (root != NULL) {
        int c = cmp(root, key);
        if (c == 0)
            return root;
        if (c < 0)
            best = root;
        root = c < 0 ? root->right : root->left;
    }
    return best;
}

vmb_node_t *vmb_tree_next(vmb_node_t *root, const vmb_node_t *node, vmb_cmp_f cmp)
{
    vmb_node_t *best = NULL;
    if (node->right != NULL)
        return vmb_tree_first(node->right);
    while (root != NULL && root != node) {
        int behind = cmp(root, node) > 0;
        if (behind)
            best = root;
        root = behind ? root->left : root->right;
    }
    return best;
}

vmb_node_t *vmb_tree_first(vmb_node_t *root)
{
    while (root != NULL && root->left != NULL)
        root = root->left;
    return root;
}

vmb_node_t *vmb_tree_last(vmb_node_t *root)
{
    while (root != NULL && root->right != NULL)
        root = root->right;
    return root;
}

static int aboveits(const vmb_node_t *t)
{
    return (t->left == NULL || priority(t->left) < priority(t)) &&
           (t->right == NULL || priority(t->right) < priority(t));
}

/* Each node is looked at before its links are followed: priorities fall on every way that is
 * taken, so that links which lead back cannot trap us. */
long vmb_tree_check(vmb_node_t *root, vmb_cmp_f cmp)
{
    vmb_node_t *way[MAXDEPTH], *t = root, *last = NULL;
    size_t depth = 0;
    long n = 0;
    while (t != NULL || depth > 0) {
        for (; t != NULL; t = t->left) {
            if (depth == MAXDEPTH || !aboveits(t))
                return -1;
            way[depth++] = t;
        }
        t = way[--depth];
        if (last != NULL && cmp(last, t) >= 0)
            return -1;
        last = t;
        n++;
        t = t->right;
    }
    return n;
}
