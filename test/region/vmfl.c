/* SPDX-License-Identifier: MIT */
#include "_bump.h"

#include <pthread.h>

#undef malloc
#undef free
#define VMFL 1
#undef vmalloc
#undef vmalign
#undef vmresize
#undef vmfree
#define vmalloc(vm, sz) _vmflalloc(_VM_(vm), (sz), __FILE__, __LINE__, _VMFUNC_)
#define vmalign(vm, sz, al) _vmflalign(_VM_(vm), (sz), (al), __FILE__, __LINE__, _VMFUNC_)
#define vmresize(vm, p, sz, t) _vmflresize(_VM_(vm), (p), (sz), (t), __FILE__, __LINE__, _VMFUNC_)
#define vmfree(vm, p) _vmflfree(_VM_(vm), (p), __FILE__, __LINE__, _VMFUNC_)

/* The method was told line, and nothing of it is left for the next call. */
static void was(int line)
{
    assert_int_equal(bump_place.line, line);
    assert_string_equal(bump_place.file, __FILE__);
    assert_string_equal(bump_place.func, "places_travel");
    assert_int_equal(vmr_takeplace().line, 0);
}

static void places_travel(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    void *p;

    (void)state;
    p = vmalloc(vm, 10), was(__LINE__);
    p = vmresize(vm, p, 20, VM_RSCOPY), was(__LINE__);
    vmfree(vm, p), was(__LINE__);
    p = vmalign(vm, 10, 64), was(__LINE__);
    assert_string_equal(_vmflstrdup(vm, "abc", __FILE__, 77, "places_travel"), "abc");
    was(77);
    (vmalloc)(vm, 10);
    assert_null(bump_place.file);
    assert_null(vm->file);
    bump_close(vm, c);
}

static void *elsewhere(void *arg)
{
    vmr_place_t *place = arg;

    *place = vmr_takeplace();
    return NULL;
}

static void one_for_each_thread(void **state)
{
    vmr_place_t place = {"x", "x", 1};
    pthread_t t;

    (void)state;
    assert_int_equal(_vmflhere("file", 12, "func"), 0);
    pthread_create(&t, NULL, elsewhere, &place);
    pthread_join(t, NULL);
    assert_null(place.file);
    place = vmr_takeplace();
    assert_string_equal(place.file, "file");
    assert_int_equal(place.line, 12);
    assert_null(vmr_takeplace().file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_travel),
        cmocka_unit_test(one_for_each_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
