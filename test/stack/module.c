/* SPDX-License-Identifier: MIT */
/* Modules: those loaded, those that went, and where an entry lies. */
#include "_test.h"

#include <dlfcn.h>
#include <link.h>

static void *pcs[64];
static size_t n;

static void take(void)
{
    n = vmsk_capture(pcs, 64, 0);
    STAY();
}

static int count_them(const vmsk_module_t *m, void *arg)
{
    (void)m;
    ++*(int *)arg;
    return 0;
}

static int listed(struct dl_phdr_info *info, size_t size, void *arg)
{
    const vmsk_module_t *m;
    uintptr_t offset;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + p->p_vaddr + p->p_memsz / 2;
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        assert_int_equal(vmsk_place((void *)(at + 1), &m, &offset), 0);
        assert_int_equal(m->bias, info->dlpi_addr);
        assert_int_equal(offset, at - info->dlpi_addr);
        assert_true(m->low <= m->text && m->text <= at && at < m->etext && m->etext <= m->high);
        assert_true(m->path[0] == '/' || strcmp(m->path, "[vdso]") == 0);
        if (info->dlpi_name[0] == '/')
            assert_string_equal(m->path, info->dlpi_name);
        ++*(int *)arg;
    }
    return 0;
}

static void all_that_is_loaded(void **state)
{
    int want = 0, got = 0;
    (void)state;
    vmsk_refresh();
    dl_iterate_phdr(listed, &want);
    vmsk_modules(count_them, &got);
    assert_true(want >= 3);
    assert_int_equal(got, want);
    vmsk_refresh();
    got = 0;
    vmsk_modules(count_them, &got);
    assert_int_equal(got, want);
}

static void the_program(void **state)
{
    char exe[4096];
    ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    const vmsk_module_t *m;
    uintptr_t offset;
    (void)state;
    exe[length] = '\0';
    take();
    assert_int_equal(vmsk_place(pcs[0], &m, &offset), 0);
    assert_string_equal(m->path, exe);
    assert_int_equal(offset + m->bias + 1, (uintptr_t)pcs[0]);
    assert_true(m->nid == 0 || m->nid >= 8);
}

static void nowhere(void **state)
{
    const vmsk_module_t *m = (void *)1;
    uintptr_t offset;
    char local = 0;
    (void)state;
    assert_int_equal(vmsk_place(&local, &m, &offset), -1);
    assert_null(m);
    assert_int_equal(offset, (uintptr_t)&local - 1);
    assert_int_equal(vmsk_place(NULL, &m, &offset), -1);
}

static void *load(void (**call)(void (*)(void)))
{
    void *library = dlopen(LOADED, RTLD_NOW);
    assert_non_null(library);
    *(void **)call = dlsym(library, "loaded_call");
    return library;
}

/* Loaded, in a stack, unloaded: named still; and that again. */
static void unloaded(void **state)
{
    (void)state;
    if (!vmos_module_fast()) /* musl: what is loaded later is known once a report asks for it, and none is unloaded */
        skip();
    for (int i = 0; i < 3; i++) {
        void (*call)(void (*)(void));
        void *library = load(&call), *there;
        uint32_t generation = vmsk_generation();
        const vmsk_module_t *m, *old;
        uintptr_t offset, distance = 0;
        call(take);
        assert_in(pcs[0], take);
        assert_in(pcs[1], call);
        assert_in(pcs[2], unloaded);
        there = pcs[1];
        assert_string_equal(vmsk_symbol(there, &distance), "loaded_call");
        assert_int_equal(distance, (uintptr_t)there - 1 - (uintptr_t)call);
        assert_int_equal(vmsk_place(there, &m, &offset), 0);
        assert_string_equal(m->path, LOADED);
        assert_int_equal(m->gone, 0);
        dlclose(library);
        vmsk_refresh();
        assert_int_not_equal(m->gone, 0);
        assert_int_equal(vmsk_generation(), generation + 1);
        assert_int_equal(vmsk_place(there, &old, &offset), 0);
        assert_ptr_equal(old, m);
        assert_int_equal(vmsk_place_at(there, generation, &old, &offset), 0);
        assert_ptr_equal(old, m);
        assert_int_equal(vmsk_place_at(there, generation + 1, &old, &offset), -1);
        assert_null(vmsk_symbol(there, &distance));
    }
}

static void exported(void **state)
{
    uintptr_t distance;
    (void)state;
    assert_string_equal(vmsk_symbol((char *)(uintptr_t)dlsym(RTLD_DEFAULT, "lfind") + 5, &distance),
                        "lfind");
    assert_int_equal(distance, 4);
    assert_null(vmsk_symbol(&distance, &distance));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_loaded), cmocka_unit_test(the_program),
        cmocka_unit_test(nowhere),            cmocka_unit_test(unloaded),
        cmocka_unit_test(exported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
