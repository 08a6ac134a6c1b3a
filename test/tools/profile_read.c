/* SPDX-License-Identifier: MIT */
/* The reader of profiles: what it reads is what was written; what is damaged or cut off it tells,
 * and survives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vmalloc.h>
#include <vmalloc/method.h>
#include <vmalloc/profile.h>

#include "../../tools/profile_read.c"
#include "../../tools/profile_tables.c"

static char *whole;
static size_t size;
static char why[400];

static char *copied(size_t n)
{
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, whole, n < size ? n : size);
    return copy;
}

/* A profile of a program that did this. */
static int setup(void **state)
{
    char name[] = "/tmp/vmalloc-profile-XXXXXX";
    int fd = mkstemp(name);
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmprofile, 0);
    Vmalloc_t *last = vmopen(Vmdcheap, vmover(Vmprofile, Vmlast), 0);
    (void)state;
    vmname(vm, "tested");
    for (int i = 0; i < 100; i++) {
        void *p = vmalloc(vm, 100);
        if (i % 2)
            vmfree(vm, p);
        vmalloc(last, 10);
    }
    _vmflalloc(vm, 1000, "file.c", 77, "here");
    assert_true(fd >= 0);
    assert_int_equal(vmprofilewrite(fd), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    whole = slurp(fd, &size);
    close(fd);
    unlink(name);
    vmclose(last);
    vmclose(vm);
    return whole == NULL;
}

static void test_what_was_written_is_read(void **state)
{
    profile_t *p = profile_parse("it", copied(size), size, why, sizeof why);
    size_t i, sites = 0;
    (void)state;
    assert_non_null(p);
    assert_int_equal(p->ncomplaints, 0);
    assert_true(p->whole);
    assert_int_equal(p->head.why, VMPF_CALL);
    assert_int_equal(p->total.calls, 201);
    assert_int_equal(p->total.bytes, 100 * 100 + 100 * 10 + 1000);
    assert_int_equal(p->total.live, 151);
    assert_int_equal(p->total.livebytes, 50 * 100 + 100 * 10 + 1000);
    assert_int_equal(p->total.highbytes, p->head.peak);
    assert_int_equal(p->total.shortlived, 50);
    assert_int_equal(p->nregions, 2);
    assert_string_equal(p->regions[0].name, "tested");
    assert_string_equal(p->regions[1].method, "last");
    assert_int_equal(p->nplaces, 1);
    assert_string_equal(p->places[0].file, "file.c");
    assert_string_equal(p->places[0].func, "here");
    assert_int_equal(p->places[0].line, 77);
    for (i = 0; i < p->nsites; i++)
        sites += p->sites[i].calls;
    assert_int_equal(sites, p->total.calls);
    assert_true(p->nsegments >= 2);
    assert_true(p->nmodules >= 1);
    assert_true(p->nstacks >= 3);
    profile_free(p);
}

static void test_what_is_no_profile_is_refused(void **state)
{
    char *text = strdup("this is a text, and a text is no profile");
    uint32_t other = 0x04030201u, version = 2;
    (void)state;
    assert_null(profile_parse("x", text, strlen(text), why, sizeof why));
    assert_string_equal(why, "x is no profile of vmalloc");
    assert_null(profile_parse("x", calloc(1, 1), 0, why, sizeof why));
    assert_string_equal(why, "x is no profile of vmalloc");
    assert_null(profile_parse("x", copied(100), 100, why, sizeof why));
    assert_non_null(strstr(why, "cut off"));
    text = copied(size);
    memcpy(text + offsetof(Vmpfhead_t, order), &other, 4);
    assert_null(profile_parse("x", text, size, why, sizeof why));
    assert_non_null(strstr(why, "byte order"));
    text = copied(size);
    memcpy(text + offsetof(Vmpfhead_t, version), &version, 4);
    assert_null(profile_parse("x", text, size, why, sizeof why));
    assert_non_null(strstr(why, "version"));
    assert_null(profile_read("/nowhere/at/all", why, sizeof why));
    assert_string_equal(why, "/nowhere/at/all: No such file or directory");
}

/* Cut off anywhere, it is refused or read as far as it goes, and that is told. */
static void test_a_truncated_profile_is_read_as_far_as_it_goes(void **state)
{
    size_t n, read = 0;
    (void)state;
    for (n = 0; n < size; n += 1 + n % 509) {
        profile_t *p = profile_parse("x", copied(n), n, why, sizeof why);
        assert_true((p != NULL) == (n >= VMPF_UNIT));
        if (!p)
            continue;
        assert_true(p->ncomplaints > 0);
        assert_true(p->total.calls <= 201);
        read += p->total.calls > 0;
        profile_free(p);
    }
    assert_true(read > 0);
}

static void test_a_damaged_section_is_left_out_and_told(void **state)
{
    char *copy = copied(size);
    size_t at = VMPF_UNIT;
    profile_t *p;
    (void)state;
    while (((Vmpfsection_t *)(void *)(copy + at))->type != VMPF_SITES)
        at += ((Vmpfsection_t *)(void *)(copy + at))->size;
    copy[at + sizeof(Vmpfsection_t) + 8] ^= 1;
    p = profile_parse("x", copy, size, why, sizeof why);
    assert_non_null(p);
    assert_int_equal(p->nsites, 0);
    assert_int_equal(p->ncomplaints, 1);
    assert_non_null(strstr(p->complaints[0], "checksum"));
    assert_int_equal(p->nregions, 2);
    profile_free(p);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Half of the time without checksums, so that the damage is looked at. */
static void mutate(char *copy, size_t n, uint32_t *seed)
{
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff, 8};
    uint32_t changes = 1 + next(seed) % 8, open = VMPF_OPEN;
    size_t at = VMPF_UNIT;
    if (next(seed) % 2)
        for (; at + sizeof(Vmpfsection_t) <= n; at += ((Vmpfsection_t *)(void *)(copy + at))->size)
            memcpy(copy + at + offsetof(Vmpfsection_t, state), &open, 4);
    while (changes-- > 0) {
        size_t place =
            next(seed) % 3 ? next(seed) % n : next(seed) % (n / 4096) * 4096 + next(seed) % 200;
        if (place < 16) /* the head stays one of a profile */
            continue;
        copy[place] = (char)(next(seed) % 2 ? values[next(seed) % 6] : next(seed));
    }
}

static void test_random_damage_is_survived(void **state)
{
    uint32_t seed = 12345;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        size_t n = next(&seed) % 4 ? size : VMPF_UNIT + next(&seed) % (size - VMPF_UNIT);
        char *copy = copied(n);
        profile_t *p;
        mutate(copy, n, &seed);
        p = profile_parse("x", copy, n, why, sizeof why);
        for (size_t k = 0; p && k < p->nsites; k++) {
            const profile_site_t *s = &p->sites[k];
            assert_true(s->region < (int)p->nregions && s->stack < (int)p->nstacks);
            for (uint32_t j = 0; s->stack >= 0 && j < p->stacks[s->stack].n; j++)
                assert_true(p->stacks[s->stack].pcs[j].module < (int)p->nmodules);
        }
        for (size_t k = 0; p && k < p->nsegments; k++)
            for (uint32_t j = 0; j < p->segments[k].ncells; j++)
                assert_true(p->segments[k].cells[j] <= 255);
        profile_free(p);
    }
}

static void test_the_error_of_samples(void **state)
{
    profile_t p;
    (void)state;
    memset(&p, 0, sizeof p);
    assert_int_equal(profile_error(&p, 100), 0);
    p.head.mode = VMPF_SAMPLED;
    p.head.period = 1000;
    assert_int_equal(profile_error(&p, 0), 3000);
    assert_int_equal(profile_error(&p, 1), 3000);
    assert_int_equal(profile_error(&p, 2), 4000);
    assert_int_equal(profile_error(&p, 100), 20000);
    assert_int_equal(profile_error(&p, 101), 22000); /* rounded up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_what_is_no_profile_is_refused),
        cmocka_unit_test(test_a_truncated_profile_is_read_as_far_as_it_goes),
        cmocka_unit_test(test_a_damaged_section_is_left_out_and_told),
        cmocka_unit_test(test_random_damage_is_survived),
        cmocka_unit_test(test_the_error_of_samples),
    };
    int r = cmocka_run_group_tests(tests, setup, NULL);
    free(whole);
    return r;
}
