/* SPDX-License-Identifier: MIT */
/* Nodes: Vmpool has blocks of one size, that of the first one.  A tree in a pool needs no loop to
 * free it, and a node that is freed twice is found. */
#include <errno.h>
#include <stdio.h>
#include <vmalloc.h>

typedef struct node {
    struct node *left, *right;
    int key;
} node_t;

static node_t *insert(Vmalloc_t *pool, node_t *root, int key)
{
    if (root == NULL) {
        root = vmnewof(pool, NULL, node_t, 1, 0); /* cleared */
        if (root != NULL)
            root->key = key;
    } else if (key < root->key) {
        root->left = insert(pool, root->left, key);
    } else if (key > root->key) {
        root->right = insert(pool, root->right, key);
    }
    return root;
}

static node_t *leftmost(node_t *root)
{
    while (root->left != NULL)
        root = root->left;
    return root;
}

static void tell(Vmalloc_t *pool, const char *when)
{
    Vmstat_t st;

    vmstat(pool, &st);
    printf("%s: %zu nodes\n", when, st.n_busy);
}

int main(void)
{
    Vmalloc_t *pool = vmopen(Vmdcheap, Vmpool, 0); /* any thread may use it */
    node_t *root = NULL, *first;

    for (int i = 0; i < 1000; i++)
        root = insert(pool, root, i * 7919 % 1000);
    tell(pool, "built");
    first = leftmost(root);
    printf("freed: %d\n", vmfree(pool, first));
    printf("freed again: %d", vmfree(pool, first));
    printf(", %s\n", errno == EINVAL ? "EINVAL" : "?");
    tell(pool, "then");
    vmclear(pool); /* all nodes at once; the next size may be another */
    tell(pool, "cleared");
    return vmclose(pool);
}
