/* SPDX-License-Identifier: MIT */
/*
 * Minimisation of two-level logic: covers are lists of cubes, each cube a small block, and the
 * recursive operations on covers make and drop great numbers of both.
 *
 * The algorithms are those of R. Brayton et al., "Logic Minimization Algorithms for VLSI Synthesis",
 * 1984: complement and tautology by Shannon expansion, expand against the off-set, irredundant.
 * A cube has two bits for each variable: bit 2v, v may be 0; bit 2v + 1, v may be 1; a pair without
 * bits makes it empty.
 */
#include "work.h"

enum { VARS = 14 };

typedef struct {
    uint64_t bits;
} Cube;

typedef struct {
    size_t n, room;
    Cube **cube;
} Cover;

#define ALL  ((UINT64_C(1) << 2 * VARS) - 1)
#define ZERO (UINT64_C(0x5555555555555555) & ALL) /* the bits "may be 0" */

static Cover *new_cover(void)
{
    return must(calloc(1, sizeof(Cover)));
}

static void put(Cover *c, uint64_t bits)
{
    if (c->n == c->room) {
        c->room = c->room ? c->room * 2 : 4;
        c->cube = must(realloc(c->cube, c->room * sizeof(*c->cube)));
    }
    c->cube[c->n] = must(malloc(sizeof(Cube)));
    c->cube[c->n++]->bits = bits;
}

static void take(Cover *c, size_t i)
{
    free(c->cube[i]);
    c->cube[i] = c->cube[--c->n];
}

static void drop(Cover *c)
{
    while (c->n > 0)
        free(c->cube[--c->n]);
    free(c->cube);
    free(c);
}

static int is_empty(uint64_t bits)
{
    return ((bits | bits >> 1) & ZERO) != ZERO;
}

static int contains(uint64_t large, uint64_t small)
{
    return (small & ~large) == 0;
}

/* Whether a cube does not depend on a variable. */
static int is_free(uint64_t bits, int v)
{
    return (bits >> 2 * v & 3) == 3;
}

/* The part of a cover where the bits of half hold, freed of that variable; half is one literal. */
static Cover *cofactor(const Cover *c, uint64_t half)
{
    Cover *part = new_cover();
    size_t i;

    for (i = 0; i < c->n; i++)
        if (!is_empty(c->cube[i]->bits & half))
            put(part, (c->cube[i]->bits | ~half) & ALL);
    return part;
}

/* The variable that most cubes depend on, -1 when none does. */
static int most_bound(const Cover *c)
{
    size_t count[VARS] = {0}, i, most = 0;
    int v, best = -1;

    for (i = 0; i < c->n; i++)
        for (v = 0; v < VARS; v++)
            count[v] += !is_free(c->cube[i]->bits, v);
    for (v = 0; v < VARS; v++)
        if (count[v] > most) {
            most = count[v];
            best = v;
        }
    return best;
}

static uint64_t literal(int v, int value)
{
    return ALL & ~(UINT64_C(1) << (2 * v + !value));
}

/* Drop cubes that lie in others. */
static void absorb(Cover *c)
{
    size_t i, k;

    for (i = 0; i < c->n; i++)
        for (k = 0; k < c->n; k++)
            if (i != k && contains(c->cube[k]->bits, c->cube[i]->bits)) {
                take(c, i--);
                break;
            }
}

static Cover *complement_of_one(uint64_t bits)
{
    Cover *c = new_cover();
    int v;

    for (v = 0; v < VARS; v++)
        if (!is_free(bits, v))
            put(c, ALL & ~(bits & UINT64_C(3) << 2 * v));
    return c;
}

/* Join the halves of a complement: cubes in both need no literal. */
static void merge(Cover *into, Cover *half, Cover *other, uint64_t where)
{
    size_t i, k;

    for (i = 0; i < half->n; i++) {
        uint64_t bits = half->cube[i]->bits;

        for (k = 0; k < other->n && other->cube[k]->bits != bits; k++)
            ;
        if (k < other->n) {
            put(into, bits);
            take(other, k);
        } else {
            put(into, bits & where);
        }
    }
    drop(half);
}

static Cover *complement(const Cover *c)
{
    Cover *half[2], *whole = new_cover();
    size_t i;
    int v = most_bound(c), value;

    for (i = 0; i < c->n; i++)
        if (c->cube[i]->bits == ALL)
            return whole;
    if (c->n == 0) {
        put(whole, ALL);
        return whole;
    }
    if (c->n == 1) {
        drop(whole);
        return complement_of_one(c->cube[0]->bits);
    }
    for (value = 0; value < 2; value++) {
        Cover *part = cofactor(c, literal(v, value));

        half[value] = complement(part);
        drop(part);
    }
    merge(whole, half[0], half[1], literal(v, 0));
    for (i = 0; i < half[1]->n; i++)
        put(whole, half[1]->cube[i]->bits & literal(v, 1));
    drop(half[1]);
    absorb(whole);
    return whole;
}

static int is_tautology(const Cover *c)
{
    size_t i;
    int v = most_bound(c), value, yes = 1;

    for (i = 0; i < c->n; i++)
        if (c->cube[i]->bits == ALL)
            return 1;
    if (v < 0)
        return 0;
    for (value = 0; value < 2 && yes; value++) {
        Cover *part = cofactor(c, literal(v, value));

        yes = is_tautology(part);
        drop(part);
    }
    return yes;
}

static int meets(const Cover *c, uint64_t bits)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        if (!is_empty(c->cube[i]->bits & bits))
            return 1;
    return 0;
}

/* Free each cube of as many variables as it can lose without touching the off-set. */
static void expand(Cover *on, const Cover *off, Random *r)
{
    size_t i;

    for (i = 0; i < on->n; i++) {
        int k, start = (int)random_in(r, 0, VARS);

        for (k = 0; k < VARS; k++) {
            uint64_t wider = on->cube[i]->bits | UINT64_C(3) << 2 * ((start + k) % VARS);

            if (!meets(off, wider))
                on->cube[i]->bits = wider;
        }
    }
    absorb(on);
}

/* The others of a cover as seen from inside a cube: it is covered when that is a tautology. */
static int is_covered(const Cover *c, size_t at)
{
    Cover *others = new_cover();
    uint64_t bits = c->cube[at]->bits;
    size_t i;
    int yes;

    for (i = 0; i < c->n; i++)
        if (i != at && !is_empty(c->cube[i]->bits & bits))
            put(others, (c->cube[i]->bits | ~bits) & ALL);
    yes = is_tautology(others);
    drop(others);
    return yes;
}

static void make_irredundant(Cover *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        if (is_covered(c, i))
            take(c, i--);
}

static Cover *random_cover(Random *r, size_t n)
{
    Cover *c = new_cover();

    while (c->n < n) {
        uint64_t bits = ALL;
        int k;

        for (k = 0; k < 6; k++)
            bits &= literal((int)random_in(r, 0, VARS), (int)random_in(r, 0, 2));
        if (!is_empty(bits))
            put(c, bits);
    }
    return c;
}

int main(int argc, char **argv)
{
    long round, rounds = scale_of(argc, argv, 1, 160);
    size_t before = 0, after = 0, off_cubes = 0;
    Random r = random_from(1);

    for (round = 0; round < rounds; round++) {
        Cover *on = random_cover(&r, 150), *off = complement(on);
        size_t best;

        before += on->n;
        off_cubes += off->n;
        do {
            best = on->n;
            expand(on, off, &r);
            make_irredundant(on);
        } while (on->n < best);
        after += on->n;
        drop(on);
        drop(off);
    }
    printf("%zu cubes made %zu, off-set of %zu\n", before, after, off_cubes);
    return 0;
}
