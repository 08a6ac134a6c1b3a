/* SPDX-License-Identifier: MIT */
/* Stacks of random bytes, of addresses that are nearly right, and damaged unwind tables: the walker
 * may find nothing, but it does not fault and it ends. */
#include "_test.h"

#include <sys/mman.h>

#define WORDS 2048 /* four pages, and an inaccessible one on each side */

static uint64_t seed = 12345;
static uint64_t rnd(void)
{
    seed += 0x9e3779b97f4a7c15u;
    return vmb_mix(seed);
}

static uintptr_t *room(void)
{
    size_t size = WORDS * sizeof(uintptr_t);
    char *p = mmap(NULL, size + 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect(p + 4096, size, PROT_READ | PROT_WRITE), 0);
    return (uintptr_t *)(void *)(p + 4096);
}

/* Addresses of code: real return addresses and their neighbours, in the program and in libc. */
static uintptr_t code(void)
{
    static void *real[64];
    static size_t n;
    if (n == 0)
        n = vmsk_capture(real, 64, 0);
    switch (rnd() % 4) {
    case 0: return (uintptr_t)real[rnd() % n];
    case 1: return (uintptr_t)real[rnd() % n] + rnd() % 4096 - 2048;
    case 2: return (uintptr_t)qsort + rnd() % 1000000;
    default: return rnd();
    }
}

static uintptr_t word(uintptr_t *stack)
{
    switch (rnd() % 4) {
    case 0: return code();
    case 1: return (uintptr_t)(stack + rnd() % WORDS);
    case 2: return (uintptr_t)stack + rnd() % 40000 - 4000;
    default: return rnd() >> rnd() % 64;
    }
}

static void random_stacks(void **state)
{
    uintptr_t *stack = room();
    void *pcs[300];
    (void)state;
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < WORDS; i++)
            stack[i] = word(stack);
        for (int i = 0; i < 100; i++) {
            size_t n = vmsk_capture_regs(pcs, 300, code(), (uintptr_t)stack + rnd() % 17000,
                                         word(stack), rnd() % 2 ? code() : 0);
            assert_true(n >= 1 && n <= 300);
        }
    }
}

/* Each word leads to the next frame, round and round. */
static void rings(void **state)
{
    uintptr_t *stack = room();
    void *pcs[3000];
    (void)state;
    for (size_t i = 0; i < WORDS; i += 2) {
        stack[i] = (uintptr_t)(stack + (i * 7 + 2) % WORDS);
        stack[i + 1] = (uintptr_t)pcs;
    }
    for (size_t i = 0; i < WORDS; i++)
        assert_true(vmsk_capture_regs(pcs, 3000, (uintptr_t)pcs, (uintptr_t)stack,
                                      (uintptr_t)(stack + i), 0) <= WORDS);
}

/* memcpy() for memory that a sanitizer has its own view of. */
VMOS_UNCHECKED static void copy_bytes(unsigned char *to, const volatile unsigned char *from,
                                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

/* Copies of the program's own tables with random bytes put in. */
static void damaged_tables(void **state)
{
    vmos_module_t m;
    size_t size, found = 0;
    uintptr_t *copy;
    (void)state;
    if (vmsk_module_note(&m, (uintptr_t)damaged_tables) != 0 || m.unwind == NULL)
        skip();
    size = (size_t)(m.high - (uintptr_t)m.unwind);
    if (vmos_readable((uintptr_t)m.unwind, size) < size)
        size = vmos_readable((uintptr_t)m.unwind, size);
    size = size < 65536 ? size : 65536;
    copy = mmap(NULL, 2 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int round = 0; round < 300; round++) {
        vmos_module_t bad = m;
        unsigned char *bytes = (unsigned char *)copy + 65536 - size;
        copy_bytes(bytes, m.unwind, size);
        for (int i = 0; i < 40; i++)
            bytes[12 + rnd() % (size - 12)] = (unsigned char)rnd();
        bad.unwind = bytes;
        bad.low = (uintptr_t)bytes;
        bad.high = (uintptr_t)bytes + size;
        for (int i = 0; i < 200; i++) {
            vmsk_fde_t fde;
            uintptr_t addr = (uintptr_t)bytes - (uintptr_t)m.unwind + (uintptr_t)damaged_tables +
                             rnd() % 8192 - 4096;
            if (vmsk_fde_find(&fde, &bad, addr) == 0) {
                vmsk_cfi_rule(&fde, addr);
                found++;
            }
        }
    }
    assert_true(found > 1000);
}

/* Any instructions. */
static void random_programs(void **state)
{
    static unsigned char program[256];
    (void)state;
    for (int round = 0; round < 50000; round++) {
        vmsk_fde_t fde = {.start = 4096, .end = 8192, .program = program,
                          .program_end = program + rnd() % 257, .code_align = 1 + rnd() % 4,
                          .data_align = -8, .ra = VMOS_REG_RA};
        for (size_t i = 0; i < sizeof(program); i += 8) {
            uint64_t x = rnd() & (rnd() % 2 ? 0x3f3f3f3f3f3f3f3fu : ~(uint64_t)0);
            memcpy(program + i, &x, 8);
        }
        fde.initial = fde.initial_end = program;
        vmsk_cfi_rule(&fde, 4096 + rnd() % 4096);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_stacks), cmocka_unit_test(rings),
        cmocka_unit_test(damaged_tables), cmocka_unit_test(random_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
