/* SPDX-License-Identifier: MIT */
/*
 * Factoring by continued fractions: millions of short-lived small blocks, since every number is a
 * block of its own that is made by an operation and dropped soon after.
 *
 * The method is that of M. Morrison and J. Brillhart, "A method of factoring and the factorization
 * of F7", Mathematics of Computation 29 (1975): the convergents A/B of sqrt(N) give
 * A(n)^2 = (-1)^(n+1) Q(n+1) mod N with small Q; relations whose Q splits over a few primes are
 * combined to squares.
 */
#include "work.h"

enum { BASE = 110, SPARE = 12, RELATIONS = BASE + SPARE, WORDS = (BASE + 64) / 64 };

/* ---- numbers: digits base 2^32, least first, no leading zero; never changed once made ---- */

typedef struct {
    unsigned n;
    uint32_t d[];
} Big;

static Big *big(unsigned digits)
{
    Big *x = must(malloc(sizeof(*x) + digits * sizeof(x->d[0])));

    x->n = digits;
    return x;
}

static Big *trim(Big *x)
{
    while (x->n > 0 && x->d[x->n - 1] == 0)
        x->n--;
    return x;
}

static Big *from_word(uint32_t w)
{
    Big *x = big(1);

    x->d[0] = w;
    return trim(x);
}

static Big *copy(const Big *a)
{
    Big *x = big(a->n);

    memcpy(x->d, a->d, a->n * sizeof(a->d[0]));
    return x;
}

static int compare(const Big *a, const Big *b)
{
    unsigned i;

    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (i = a->n; i-- > 0;)
        if (a->d[i] != b->d[i])
            return a->d[i] < b->d[i] ? -1 : 1;
    return 0;
}

static Big *add(const Big *a, const Big *b)
{
    unsigned i, n = (a->n > b->n ? a->n : b->n) + 1;
    uint64_t carry = 0;
    Big *x = big(n);

    for (i = 0; i < n; i++) {
        carry += (i < a->n ? a->d[i] : 0) + (uint64_t)(i < b->n ? b->d[i] : 0);
        x->d[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return trim(x);
}

/* a - b, where a >= b. */
static Big *subtract(const Big *a, const Big *b)
{
    Big *x = big(a->n);
    int64_t borrow = 0;
    unsigned i;

    for (i = 0; i < a->n; i++) {
        borrow += (int64_t)a->d[i] - (i < b->n ? b->d[i] : 0);
        x->d[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    return trim(x);
}

static Big *multiply(const Big *a, const Big *b)
{
    Big *x = big(a->n + b->n);
    unsigned i, k;

    memset(x->d, 0, x->n * sizeof(x->d[0]));
    for (i = 0; i < a->n; i++) {
        uint64_t carry = 0;

        for (k = 0; k < b->n; k++) {
            carry += (uint64_t)a->d[i] * b->d[k] + x->d[i + k];
            x->d[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
        x->d[i + k] = (uint32_t)carry;
    }
    return trim(x);
}

static uint32_t modulo_word(const Big *a, uint32_t w)
{
    uint64_t rest = 0;
    unsigned i;

    for (i = a->n; i-- > 0;)
        rest = ((rest << 32) | a->d[i]) % w;
    return (uint32_t)rest;
}

static Big *divide_word(const Big *a, uint32_t w)
{
    Big *x = big(a->n);
    uint64_t rest = 0;
    unsigned i;

    for (i = a->n; i-- > 0;) {
        rest = (rest << 32) | a->d[i];
        x->d[i] = (uint32_t)(rest / w);
        rest %= w;
    }
    return trim(x);
}

static Big *shifted(const Big *a, unsigned bits)
{
    Big *x = big(a->n + 1);
    uint64_t carry = 0;
    unsigned i;

    for (i = 0; i < a->n; i++) {
        carry |= (uint64_t)a->d[i] << bits;
        x->d[i] = (uint32_t)carry;
        carry >>= 32;
    }
    x->d[i] = (uint32_t)carry;
    return x;
}

/* rest -= q * b << 32 * at; returns 1, and rest is negative, when q was one too large. */
static int take_away(Big *rest, const Big *b, unsigned length, unsigned at, uint64_t q)
{
    uint64_t carry = 0;
    int64_t borrow = 0;
    unsigned i;

    for (i = 0; i <= length; i++) {
        carry += q * (i < length ? b->d[i] : 0);
        borrow += (int64_t)rest->d[at + i] - (uint32_t)carry;
        rest->d[at + i] = (uint32_t)borrow;
        borrow >>= 32;
        carry >>= 32;
    }
    return borrow < 0;
}

static void give_back(Big *rest, const Big *b, unsigned length, unsigned at)
{
    uint64_t carry = 0;
    unsigned i;

    for (i = 0; i <= length; i++) {
        carry += (uint64_t)rest->d[at + i] + (i < length ? b->d[i] : 0);
        rest->d[at + i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Knuth, The Art of Computer Programming 2, algorithm 4.3.1 D.  *rest and the value are new. */
static Big *divide(const Big *a, const Big *b, Big **rest)
{
    unsigned length = b->n, shift, i;
    Big *x, *u, *v;

    if (compare(a, b) < 0) {
        *rest = copy(a);
        return from_word(0);
    }
    if (length == 1) {
        *rest = from_word(modulo_word(a, b->d[0]));
        return divide_word(a, b->d[0]);
    }
    shift = (unsigned)__builtin_clz(b->d[length - 1]);
    u = shifted(a, shift);
    v = shifted(b, shift);
    x = big(a->n - length + 1);
    for (i = x->n; i-- > 0;) {
        uint64_t top = (uint64_t)u->d[i + length] << 32 | u->d[i + length - 1];
        uint64_t q = top / v->d[length - 1], r = top % v->d[length - 1];

        while (q >> 32 ||
               (r >> 32 == 0 && q * v->d[length - 2] > (r << 32 | u->d[i + length - 2]))) {
            q--;
            r += v->d[length - 1];
        }
        if (take_away(u, v, length, i, q)) {
            q--;
            give_back(u, v, length, i);
        }
        x->d[i] = (uint32_t)q;
    }
    for (i = 0; i < length; i++)
        u->d[i] = (uint32_t)((((uint64_t)u->d[i + 1] << 32) | u->d[i]) >> shift);
    u->n = length;
    *rest = trim(u);
    free(v);
    return trim(x);
}

/* Operations that drop their first argument. */
static Big *reduce(Big *a, const Big *modulus)
{
    Big *rest;

    free(divide(a, modulus, &rest));
    free(a);
    return rest;
}

static Big *plus(Big *a, const Big *b)
{
    Big *x = add(a, b);

    free(a);
    return x;
}

static Big *divided_by_word(Big *a, uint32_t w)
{
    Big *x = divide_word(a, w);

    free(a);
    return x;
}

static Big *times_modulo(Big *a, const Big *b, const Big *modulus)
{
    Big *x = multiply(a, b);

    free(a);
    return reduce(x, modulus);
}

static Big *gcd(const Big *a, const Big *b)
{
    Big *x = copy(a), *y = copy(b);

    while (y->n > 0) {
        Big *rest = reduce(x, y);

        x = y;
        y = rest;
    }
    free(y);
    return x;
}

/* Newton's iteration from above. */
static Big *square_root(const Big *a)
{
    Big *x = copy(a), *next, *rest;

    for (;;) {
        next = divided_by_word(plus(divide(a, x, &rest), x), 2);
        free(rest);
        if (compare(next, x) >= 0) {
            free(next);
            return x;
        }
        free(x);
        x = next;
    }
}

static Big *from_text(const char *s)
{
    Big *x = from_word(0), *ten = from_word(10);

    for (; *s; s++) {
        Big *digit = from_word((uint32_t)(*s - '0')), *tenfold = multiply(x, ten);

        free(x);
        x = plus(tenfold, digit);
        free(digit);
    }
    free(ten);
    return x;
}

static void print(const char *before, const Big *a)
{
    char text[128];
    size_t at = sizeof(text) - 1;
    Big *x = copy(a);

    text[at] = '\0';
    do {
        text[--at] = (char)('0' + modulo_word(x, 10));
        x = divided_by_word(x, 10);
    } while (x->n > 0 && at > 0);
    free(x);
    printf("%s%s", before, text + at);
}

/* ---- relations ---- */

/* left^2 = -1^power[0] * product of prime[i]^power[i]; uses: which relations it is made of. */
typedef struct {
    Big *left;
    unsigned char *power;
    uint64_t odd[WORDS];
    uint64_t uses[(RELATIONS + 63) / 64];
} Relation;

static uint32_t prime[BASE];

static uint64_t power_modulo(uint64_t b, uint64_t e, uint64_t m)
{
    uint64_t x = 1;

    for (b %= m; e; e >>= 1, b = b * b % m)
        if (e & 1)
            x = x * b % m;
    return x;
}

static int is_prime(uint32_t n)
{
    uint32_t d;

    for (d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n > 1;
}

/* prime[0] stands for -1, then come 2 and the odd primes modulo which N is a square. */
static void choose_primes(const Big *n)
{
    uint32_t p, count = 2;

    prime[0] = 1;
    prime[1] = 2;
    for (p = 3; count < BASE; p += 2)
        if (is_prime(p) && power_modulo(modulo_word(n, p), (p - 1) / 2, p) == 1)
            prime[count++] = p;
}

/* Divide x as often as p goes into it; returns how often. */
static unsigned take_out(Big **x, const Big *p)
{
    Big *part, *rest;
    unsigned times = 0, whole;

    for (;; times++) {
        part = divide(*x, p, &rest);
        whole = rest->n == 0;
        free(rest);
        if (!whole) {
            free(part);
            return times;
        }
        free(*x);
        *x = part;
    }
}

/* 1 and a relation when q splits over the primes. */
static int splits(const Big *q, int negative, const Big *left, Relation *r)
{
    unsigned char power[BASE] = {0};
    Big *x = copy(q), *p;
    unsigned i;

    power[0] = negative != 0;
    for (i = 1; i < BASE; i++) {
        p = from_word(prime[i]);
        power[i] = (unsigned char)take_out(&x, p);
        free(p);
    }
    i = x->n == 1 && x->d[0] == 1;
    free(x);
    if (!i)
        return 0;
    memset(r, 0, sizeof(*r));
    r->left = copy(left);
    r->power = memcpy(must(malloc(BASE)), power, BASE);
    for (i = 0; i < BASE; i++)
        r->odd[i / 64] |= (uint64_t)(power[i] & 1) << i % 64;
    return 1;
}

/* The continued fraction of sqrt(n), until there are relations enough. */
static long expand(const Big *n, Relation *relations)
{
    Big *root = square_root(n), *p = from_word(0), *q = from_word(1), *a = copy(root);
    Big *before = from_word(1), *left = copy(root), *t, *rest, *none;
    unsigned count = 0;
    long steps = 0;

    while (count < RELATIONS) {
        t = multiply(a, q);
        rest = subtract(t, p);
        free(p), free(t);
        p = rest;
        t = multiply(p, p);
        rest = subtract(n, t);
        free(t);
        t = divide(rest, q, &none);
        free(rest), free(none), free(q);
        q = t;
        steps++;
        if (splits(q, steps % 2, left, &relations[count])) {
            relations[count].uses[count / 64] |= UINT64_C(1) << count % 64;
            count++;
        }
        free(a);
        t = add(root, p);
        a = divide(t, q, &rest);
        free(t), free(rest);
        t = reduce(plus(multiply(a, left), before), n);
        free(before);
        before = left;
        left = t;
    }
    free(root), free(p), free(q), free(a), free(before), free(left);
    return steps;
}

/* A product of relations that is a square on both sides; its factor, or NULL when trivial. */
static Big *try_square(const Big *n, const Relation *all, const Relation *square)
{
    Big *x = from_word(1), *y = from_word(1), *sum, *factor;
    unsigned total[BASE] = {0}, i, k;

    for (i = 0; i < RELATIONS; i++)
        if (square->uses[i / 64] >> i % 64 & 1) {
            x = times_modulo(x, all[i].left, n);
            for (k = 0; k < BASE; k++)
                total[k] += all[i].power[k];
        }
    for (k = 1; k < BASE; k++)
        for (i = 0; i < total[k] / 2; i++) {
            Big *p = from_word(prime[k]);

            y = times_modulo(y, p, n);
            free(p);
        }
    sum = add(x, y);
    factor = gcd(n, sum);
    free(x), free(y), free(sum);
    if (compare(factor, n) != 0 && !(factor->n == 1 && factor->d[0] == 1))
        return factor;
    free(factor);
    return NULL;
}

/* Elimination over bits; relations that come out even are squares. */
static Big *combine(const Big *n, Relation *r)
{
    Relation *work = must(malloc(RELATIONS * sizeof(*work)));
    unsigned i, k, w, bit;
    Big *factor = NULL;

    memcpy(work, r, RELATIONS * sizeof(*work));
    for (i = 0; i < RELATIONS && !factor; i++) {
        for (bit = 0; bit < BASE && !(work[i].odd[bit / 64] >> bit % 64 & 1); bit++)
            ;
        if (bit == BASE) {
            factor = try_square(n, r, &work[i]);
            continue;
        }
        for (k = i + 1; k < RELATIONS; k++) {
            if (!(work[k].odd[bit / 64] >> bit % 64 & 1))
                continue;
            for (w = 0; w < WORDS; w++)
                work[k].odd[w] ^= work[i].odd[w];
            for (w = 0; w < (RELATIONS + 63) / 64; w++)
                work[k].uses[w] ^= work[i].uses[w];
        }
    }
    free(work);
    return factor;
}

static void factor(const char *text)
{
    Relation *relations = must(calloc(RELATIONS, sizeof(*relations)));
    Big *n = from_text(text), *found, *other, *rest;
    long steps, i;

    choose_primes(n);
    steps = expand(n, relations);
    found = combine(n, relations);
    if (!found)
        give_up("no factor found");
    other = divide(n, found, &rest);
    print("", n), print(" = ", found), print(" * ", other);
    printf(" after %ld steps\n", steps);
    free(found), free(other), free(rest), free(n);
    for (i = 0; i < RELATIONS; i++) {
        free(relations[i].left);
        free(relations[i].power);
    }
    free(relations);
}

int main(int argc, char **argv)
{
    factor(argc > 1 ? argv[1] : "21700000000729874700001221748297");
    return 0;
}
