/* SPDX-License-Identifier: MIT */
/* The treap against a table of what is in it. */
#include "_test.h"

#define N 4096
#define TURNS 100000

typedef struct item {
    vmb_node_t node; /* first */
    size_t key;
} item_t;

static item_t items[N];
static unsigned char in[N]; /* whether items[i], whose key is 2 i + 1, is in the tree */
static vmb_node_t *root;

static int cmp(const vmb_node_t *a, const vmb_node_t *b)
{
    size_t x = ((const item_t *)a)->key, y = ((const item_t *)b)->key;
    return x < y ? -1 : x > y;
}

static void start(void)
{
    root = NULL;
    memset(in, 0, sizeof(in));
    for (size_t i = 0; i < N; i++)
        items[i].key = 2 * i + 1;
}

static void toggle(size_t i)
{
    if (in[i])
        vmb_tree_remove(&root, &items[i].node, cmp);
    else
        vmb_tree_insert(&root, &items[i].node, cmp);
    in[i] = !in[i];
}

static vmb_node_t *above(size_t i) /* first in the tree from items[i] on */
{
    while (i < N && !in[i])
        i++;
    return i < N ? &items[i].node : NULL;
}

static vmb_node_t *below(size_t i)
{
    while (i != (size_t)-1 && !in[i])
        i--;
    return i != (size_t)-1 ? &items[i].node : NULL;
}

/* All questions about one place. */
static void ask(size_t i)
{
    item_t key = {{NULL, NULL}, 2 * i + 1};
    assert_ptr_equal(vmb_tree_ceil(root, &key.node, cmp), above(i));
    assert_ptr_equal(vmb_tree_floor(root, &key.node, cmp), below(i));
    key.key = 2 * i; /* between two items */
    assert_ptr_equal(vmb_tree_ceil(root, &key.node, cmp), above(i));
    assert_ptr_equal(vmb_tree_floor(root, &key.node, cmp), below(i - 1));
    if (in[i])
        assert_ptr_equal(vmb_tree_next(root, &items[i].node, cmp), above(i + 1));
}

static void random_changes(void **state)
{
    uint64_t seed = 7;
    long n = 0;
    (void)state;
    start();
    for (int turn = 0; turn < TURNS; turn++) {
        size_t i = rnd_below(&seed, N);
        toggle(i);
        n += in[i] ? 1 : -1;
        ask(rnd_below(&seed, N));
        if (turn % 500 == 0)
            assert_int_equal(vmb_tree_check(root, cmp), n);
    }
    assert_int_equal(vmb_tree_check(root, cmp), n);
    assert_ptr_equal(vmb_tree_first(root), above(0));
    assert_ptr_equal(vmb_tree_last(root), below(N - 1));
}

static size_t depth(const vmb_node_t *t)
{
    size_t l, r;
    if (t == NULL)
        return 0;
    l = depth(t->left);
    r = depth(t->right);
    return 1 + VMB_MAX(l, r);
}

/* Sorted input, which ruins plain trees: depth stays near 2 log n. */
static void sorted_input(void **state)
{
    size_t i = 0;
    (void)state;
    start();
    for (i = 0; i < N; i++)
        toggle(i);
    assert_int_equal(vmb_tree_check(root, cmp), N);
    assert_in_range(depth(root), 12, 50);
    i = 0;
    for (vmb_node_t *t = vmb_tree_first(root); t != NULL; t = vmb_tree_next(root, t, cmp))
        assert_ptr_equal(t, &items[i++].node);
    assert_int_equal(i, N);
    for (i = 0; i < N; i++)
        toggle(i);
    assert_null(root);
}

/* The same set has the same shape, whatever happened before. */
static void shape_has_no_history(void **state)
{
    static item_t copy[N];
    vmb_node_t *was;
    uint64_t seed = 9;
    (void)state;
    start();
    for (size_t i = 0; i < N; i += 2)
        toggle(i);
    was = root;
    memcpy(copy, items, sizeof(items));
    for (int turn = 0; turn < 2000; turn++)
        toggle(rnd_below(&seed, N));
    for (size_t i = 0; i < N; i++)
        if (in[i] != (i % 2 == 0))
            toggle(i);
    assert_ptr_equal(root, was);
    for (size_t i = 0; i < N; i += 2)
        assert_memory_equal(&items[i], &copy[i], sizeof(item_t));
}

static void empty_and_absent(void **state)
{
    (void)state;
    start();
    assert_int_equal(vmb_tree_check(root, cmp), 0);
    assert_null(vmb_tree_first(root));
    assert_null(vmb_tree_last(root));
    assert_null(vmb_tree_ceil(root, &items[3].node, cmp));
    assert_null(vmb_tree_floor(root, &items[3].node, cmp));
    toggle(1);
    vmb_tree_remove(&root, &items[3].node, cmp); /* not in it */
    assert_int_equal(vmb_tree_check(root, cmp), 1);
    assert_ptr_equal(root, &items[1].node);
}

/* Damage of every kind is found, and a check comes to an end. */
static void damage_is_found(void **state)
{
    vmb_node_t *t, *keep;
    (void)state;
    start();
    for (size_t i = 0; i < 100; i++)
        toggle(i);
    t = root->left != NULL ? root->left : root->right;
    keep = t->left;
    t->left = root; /* a ring */
    assert_int_equal(vmb_tree_check(root, cmp), -1);
    t->left = t;
    assert_int_equal(vmb_tree_check(root, cmp), -1);
    t->left = keep;
    ((item_t *)t)->key ^= 0x1000; /* out of order */
    assert_int_equal(vmb_tree_check(root, cmp), -1);
    ((item_t *)t)->key ^= 0x1000;
    t = vmb_tree_last(root);
    keep = t->right;
    t->right = vmb_tree_first(root);
    assert_int_equal(vmb_tree_check(root, cmp), -1);
    t->right = keep;
    assert_int_equal(vmb_tree_check(root, cmp), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),       cmocka_unit_test(sorted_input),
        cmocka_unit_test(shape_has_no_history), cmocka_unit_test(empty_and_absent),
        cmocka_unit_test(damage_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
