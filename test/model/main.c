/* SPDX-License-Identifier: MIT */
/*
 * test_model [--seed N] [--ops N] [--method M] [--discipline D] [--sizes S] [--single]
 *            [--seconds N] [--only I,J,...]
 *
 * Without --seed: each combination with seeds 1 and 2.  With --seconds: new seeds, from the one
 * given on, until the time is over.  --only carries out just these operations of the list.
 */
#include "model.h"

#include <time.h>

static const char *program;
static const char *only;

static size_t chosen(size_t *keep, size_t nops)
{
    size_t n = 0;
    const char *at = only;
    char *next;
    if (at == NULL) {
        for (n = 0; n < nops; n++)
            keep[n] = n;
        return n;
    }
    for (; *at != 0; at = *next == ',' ? next + 1 : next) {
        keep[n] = (size_t)strtoull(at, &next, 10);
        if (next == at || keep[n++] >= nops)
            exit(2);
    }
    return n;
}

static int one(const setup_t *s)
{
    op_t *ops = ops_make(s);
    size_t *keep = (size_t *)malloc((s->nops + 1) * sizeof *keep), n = chosen(keep, s->nops);
    char message[256];
    int r = run_apart(s, ops, keep, n, message);
    if (r != 0) {
        printf("%s, %s, %s, seed %llu: %s\n", s->method, s->discipline, s->sizes,
               (unsigned long long)s->seed, message);
        if (only == NULL)
            n = shrink(s, ops, keep, n, 30);
        run_apart(s, ops, keep, n, message);
        printf("%zu operations are left: %s\n", n, message);
        ops_print(s, ops, keep, n, program);
    }
    free(keep);
    free(ops);
    return r;
}

/* Every combination that the options leave open, once. */
static int round_of(const setup_t *want, size_t *runs)
{
    size_t a, b, c;
    setup_t s = *want;
    for (a = 0; (s.method = method_name(a)) != NULL; a++)
        for (b = 0; (s.discipline = discipline_name(b)) != NULL; b++)
            for (c = 0; (s.sizes = sizes_name(c)) != NULL; c++) {
                if ((want->method && strcmp(want->method, s.method) != 0) ||
                    (want->discipline && strcmp(want->discipline, s.discipline) != 0) ||
                    (want->sizes && strcmp(want->sizes, s.sizes) != 0))
                    continue;
                if (want->single < 0)
                    s.single = (int)((a + b + c + s.seed) & 1);
                ++*runs;
                if (one(&s) != 0)
                    return -1;
            }
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: %s [--seed N] [--ops N] [--method M] [--discipline D] [--sizes S] "
                    "[--single] [--seconds N] [--only I,J,...]\n",
            program);
    return 2;
}

int main(int argc, char **argv)
{
    setup_t s = {NULL, NULL, NULL, 0, 0, -1};
    unsigned long seconds = 0;
    size_t runs = 0;
    uint64_t last;
    time_t end;
    int i, r = 0;
    program = argv[0];
    for (i = 1; i < argc; i++) {
        const char *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--single") == 0) {
            s.single = 1;
            continue;
        }
        if (v == NULL)
            return usage();
        i++;
        if (strcmp(argv[i - 1], "--seed") == 0)
            s.seed = strtoull(v, NULL, 10);
        else if (strcmp(argv[i - 1], "--ops") == 0)
            s.nops = strtoull(v, NULL, 10);
        else if (strcmp(argv[i - 1], "--method") == 0)
            s.method = v;
        else if (strcmp(argv[i - 1], "--discipline") == 0)
            s.discipline = v;
        else if (strcmp(argv[i - 1], "--sizes") == 0)
            s.sizes = v;
        else if (strcmp(argv[i - 1], "--seconds") == 0)
            seconds = strtoul(v, NULL, 10);
        else if (strcmp(argv[i - 1], "--only") == 0)
            only = v;
        else
            return usage();
    }
    if (only != NULL && s.single < 0)
        s.single = 0;
    s.nops = s.nops ? s.nops : 4000;
    last = s.seed ? s.seed : 2;
    s.seed = s.seed ? s.seed : 1;
    end = time(NULL) + (time_t)seconds;
    for (; r == 0 && (s.seed <= last || time(NULL) < end); s.seed++)
        r = round_of(&s, &runs);
    if (r == 0)
        printf("%zu runs of %zu operations, the last with seed %llu\n", runs, s.nops,
               (unsigned long long)s.seed - 1);
    return r != 0;
}
