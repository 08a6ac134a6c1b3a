/* SPDX-License-Identifier: MIT */
/*
 * The readers believe nothing: traces that are cut off or changed at random are read as far as can
 * be, with a word about what is wrong, and made into a plan without a slip.  A run of 20000 cases; the
 * seed is printed, and can be given as the argument.
 */
#include "_trace.h"

#include "../../tools/replay_plan.c"
#include "../../tools/trace_binary.c"
#include "../../tools/trace_map.c"
#include "../../tools/trace_read.c"
#include "../../tools/trace_text.c"

#include <sys/wait.h>
#include <time.h>

static uint64_t seed;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static char *made(int binary, size_t *size)
{
    Vmalloc_t *vm;
    void *p[200];
    size_t i;
    char *data;
    test_begin();
    assert_int_equal(vmtracefile(test_path, binary ? VM_TRBINARY : 0), 0);
    vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
    for (i = 0; i < 200; i++)
        p[i] = i % 7 ? vmalloc(vm, i * 37) : vmalign(vm, i + 1, 128);
    for (i = 0; i < 200; i++)
        p[i] = i % 3 ? vmresize(vm, p[i], i * 91 + 1, VM_RSMOVE | VM_RSCOPY) : p[i];
    for (i = 0; i < 150; i++)
        vmfree(vm, p[i]);
    vmclear(vm);
    vmclose(vm);
    vmtracefile(NULL, 0);
    data = test_read(test_path, size);
    test_end();
    return data;
}

/* What there is of a plan stays inside its bounds. */
static void check_plan(const struct trace *t)
{
    struct plan_notes notes = {0, 0};
    int fd = plan_make(t, (int)(draw() & 1), &notes);
    const struct plan_head *h;
    uint64_t i;
    assert_true(fd >= 0);
    h = plan_map(fd);
    assert_non_null(h);
    assert_int_equal(plan_first(h)[h->threads], h->ops);
    for (i = 0; i < h->ops; i++) {
        const struct plan_op *op = &plan_ops(h)[i];
        assert_true(op->region < h->regions);
        if (op->kind <= PLAN_RESIZE)
            assert_true(op->to < h->slots);
        if (op->kind >= PLAN_RESIZE && op->kind <= PLAN_DROP)
            assert_true(op->slot < h->slots);
    }
    munmap((void *)(uintptr_t)h, (size_t)((const char *)(plan_ops(h) + h->ops) - (const char *)h));
    close(fd);
}

static void check(const unsigned char *data, size_t size, int plan)
{
    struct trace t;
    size_t i;
    int r = trace_parse(&t, data, size);
    assert_int_equal(r != 0, t.events == 0);
    assert_true(r == 0 || t.damage[0] != '\0');
    for (i = 0; i < t.events; i++) {
        assert_true(t.event[i].region < t.regions);
        assert_true(t.event[i].thread < t.threads);
        assert_in_range(t.event[i].kind, VM_TRALLOC, VM_TRCLOSE);
    }
    if (r == 0 && plan)
        check_plan(&t);
    trace_free(&t);
}

static void change(unsigned char *data, size_t size, size_t interesting)
{
    size_t n = 1 + draw() % 4;
    while (n-- > 0) {
        size_t at = draw() % 4 ? interesting + draw() % 2000 : draw() % size;
        if (at < size)
            data[at] = draw() % 3 ? (unsigned char)draw() : (unsigned char)(data[at] ^ 1 << draw() % 8);
    }
}

static void attack(int binary)
{
    size_t size, i, interesting = binary ? VM_TRCHUNK : 0;
    char *data = made(binary, &size);
    unsigned char *copy = malloc(size);
    for (i = 0; i < 10000; i++) {
        size_t n = draw() % 3 ? size : draw() % (interesting + 3000) % (size + 1);
        memcpy(copy, data, size);
        if (draw() % 8)
            change(copy, size, interesting);
        check(copy, n, i % 50 == 0);
    }
    free(copy);
    free(data);
}

static void test_text(void **state)
{
    (void)state;
    attack(0);
}

static void test_binary(void **state)
{
    (void)state;
    attack(1);
}

static void reads(const char *text, size_t events, size_t bad, const char *damage)
{
    struct trace t;
    trace_parse(&t, (const unsigned char *)text, strlen(text));
    assert_int_equal(t.events, events);
    assert_int_equal(t.bad, bad);
    assert_string_equal(t.damage, damage);
    trace_free(&t);
}

/* What all versions of the original wrote is read. */
static void test_lines(void **state)
{
    (void)state;
    reads("0:7f676093c9c0:10:64:7f676093d060:b:file=t6.c,line=32:\n", 1, 0, "");
    reads("0x0:0x10:10:0:0x20:best:a.c,3:\n0x10:0x0:10:0:0x20:best:\n", 2, 0, "");
    reads("0:10:5:0:20:d:\n0:0:0:0:20:b:\n0:10:5:0:20:u:\n", 3, 0, "");
    reads("0:10:5:0:20:b:\nnonsense\n10:0:5:0:20:b:\n", 2, 1, "line 2 is not one of a trace");
    reads("0:10:5:0:20:b:\n0:10:5", 1, 1, "line 2 is cut off");
    reads("0:10:99999999999999999999:0:20:b:\n", 0, 1, "line 1 is not one of a trace");
    reads("0:10:5:0:20:z:\n", 0, 1, "line 1 is not one of a trace");
    reads("", 0, 0, "the trace is empty");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_binary),
    };
    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u + 1;
    print_message("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
