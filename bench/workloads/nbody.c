/* SPDX-License-Identifier: MIT */
/*
 * An N-body simulation with a tree: each step builds an octree of the bodies from malloc-ed cells,
 * finds the forces with it and drops it.  The algorithm is that of J. Barnes and P. Hut, "A
 * hierarchical O(N log N) force-calculation algorithm", Nature 324 (1986).
 */
#include "work.h"

#include <math.h>

typedef struct {
    double at[3], speed[3], mass;
} Body;

/* A cell is empty, holds one body, or has children; centre is that of its mass. */
typedef struct cell {
    double middle[3], half;
    double centre[3], mass;
    const Body *body;
    struct cell *child[8];
    int parted;
} Cell;

static Cell *new_cell(const double middle[3], double half)
{
    Cell *c = must(calloc(1, sizeof(*c)));

    memcpy(c->middle, middle, sizeof(c->middle));
    c->half = half;
    return c;
}

static Cell *child_for(Cell *c, const Body *b)
{
    double middle[3];
    int i, which = 0;

    for (i = 0; i < 3; i++) {
        int upper = b->at[i] >= c->middle[i];

        which |= upper << i;
        middle[i] = c->middle[i] + (upper ? c->half : -c->half) / 2;
    }
    if (!c->child[which])
        c->child[which] = new_cell(middle, c->half / 2);
    return c->child[which];
}

static void insert(Cell *c, const Body *b)
{
    for (;;) {
        const Body *old = c->body;

        if (!c->parted && !old) {
            c->body = b;
            return;
        }
        if (!c->parted && c->half < 1e-9)
            return; /* two bodies in one place count as one */
        if (!c->parted) {
            c->parted = 1;
            c->body = NULL;
            insert(child_for(c, old), old);
        }
        c = child_for(c, b);
    }
}

static void weigh(Cell *c)
{
    int i, k;

    if (c->body) {
        c->mass = c->body->mass;
        memcpy(c->centre, c->body->at, sizeof(c->centre));
    }
    for (i = 0; i < 8; i++) {
        Cell *kid = c->child[i];

        if (!kid)
            continue;
        weigh(kid);
        for (k = 0; k < 3; k++)
            c->centre[k] += kid->centre[k] * kid->mass;
        c->mass += kid->mass;
    }
    for (k = 0; c->parted && k < 3; k++)
        c->centre[k] /= c->mass;
}

static void pull(const Cell *c, const Body *b, double force[3])
{
    double d[3], square = 1e-4, factor;
    int i;

    for (i = 0; i < 3; i++) {
        d[i] = c->centre[i] - b->at[i];
        square += d[i] * d[i];
    }
    if (!c->parted || 4 * c->half * c->half < 0.5 * square) {
        factor = c->body == b ? 0 : c->mass / (square * sqrt(square));
        for (i = 0; i < 3; i++)
            force[i] += d[i] * factor;
        return;
    }
    for (i = 0; i < 8; i++)
        if (c->child[i])
            pull(c->child[i], b, force);
}

static void drop(Cell *c)
{
    int i;

    for (i = 0; i < 8; i++)
        if (c->child[i])
            drop(c->child[i]);
    free(c);
}

static void step(Body *bodies, size_t n)
{
    static const double middle[3] = {0, 0, 0};
    Cell *root = new_cell(middle, 64);
    size_t i;
    int k;

    for (i = 0; i < n; i++)
        insert(root, &bodies[i]);
    weigh(root);
    for (i = 0; i < n; i++) {
        double force[3] = {0, 0, 0};

        pull(root, &bodies[i], force);
        for (k = 0; k < 3; k++)
            bodies[i].speed[k] += force[k] * 1e-3;
    }
    for (i = 0; i < n; i++)
        for (k = 0; k < 3; k++)
            bodies[i].at[k] += bodies[i].speed[k] * 1e-3;
    drop(root);
}

int main(int argc, char **argv)
{
    size_t i, n = 12000;
    long steps = scale_of(argc, argv, 1, 25);
    Body *bodies = must(calloc(n, sizeof(*bodies)));
    Random r = random_from(1);
    double sum = 0;

    for (i = 0; i < n; i++) {
        int k;

        for (k = 0; k < 3; k++)
            bodies[i].at[k] = (double)random_in(&r, 0, 2000000) / 1e6 - 1;
        bodies[i].mass = 1.0 / (double)n;
    }
    while (steps-- > 0)
        step(bodies, n);
    for (i = 0; i < n; i++)
        sum += bodies[i].at[0] * bodies[i].at[0];
    printf("%zu bodies, %.9f\n", n, sum);
    free(bodies);
    return 0;
}
