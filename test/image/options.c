/* SPDX-License-Identifier: MIT */
/* What vmimage() is told: levels of safety, how changes are found, waiting for a writer, files of others. */
#include "_test.h"

static void commits_with(int safety)
{
    Vmimgopt_t opt = {.safety = safety, .group = safety == VM_IMGGROUP ? 20 : 0};
    Vmalloc_t *vm = vmimage(file, &opt);
    Vmimgstat_t st;
    assert_non_null(vm);
    push(vm, 100);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmimgstat(vm, &st), 0);
    assert_int_equal(st.safety, safety);
    assert_int_equal(vmsync(vm), 0);
    push(vm, 10); /* not committed */
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD, NULL);
    assert_int_equal(length(vm), 100);
    assert_int_equal(vmclose(vm), 0);
    unlink(file);
}

static void safety(void **state)
{
    (void)state;
    commits_with(VM_IMGPOWER);
    commits_with(VM_IMGPROCESS);
    commits_with(VM_IMGGROUP);
}

static void tiers(void **state)
{
    Vmimgstat_t st;
    Vmalloc_t *vm = must_open(file, VM_IMGNOTRACK, NULL);
    (void)state;
    assert_int_equal(vmimgstat(vm, &st), 0);
    assert_int_equal(st.tier, VM_IMGHASH);
    push(vm, 1000);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(vmimgstat(vm, &st), 0);
    assert_true(st.tier == VM_IMGUFFD || st.tier == VM_IMGMAP || st.tier == VM_IMGHASH);
    assert_int_equal(length(vm), 1000);
    assert_int_equal(vmclose(vm), 0);
}

/* The child has it until it is told to go on; the parent waits for that in vmimage(). */
static void waits(void **state)
{
    int ready[2], go[2], status;
    char byte = 0;
    Vmalloc_t *vm;
    pid_t child;
    (void)state;
    assert_int_equal(pipe(ready) | pipe(go), 0);
    if ((child = fork()) == 0) {
        vm = open_image(file, 0, NULL);
        if (vm == NULL || write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(1);
        push(vm, 7);
        _exit(vmcommit(vm) | vmclose(vm));
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_null(open_image(file, 0, NULL));
    assert_int_equal(errno, EBUSY);
    assert_int_equal(write(go[1], "g", 1), 1);
    vm = must_open(file, VM_IMGWAIT, NULL);
    assert_int_equal(length(vm), 7);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
}

static void of_others(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    (void)state;
    push(vm, 3);
    assert_int_equal(vmcommit(vm) | vmclose(vm), 0);
    if (chown(file, 12345, 12345) != 0)
        skip(); /* only root can make one of another user */
    errno = 0;
    assert_null(open_image(file, 0, NULL));
    assert_int_equal(errno, EPERM);
    vm = must_open(file, VM_IMGFOREIGN, NULL);
    assert_int_equal(length(vm), 3);
    assert_int_equal(vmclose(vm), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(safety, setup, teardown),
        cmocka_unit_test_setup_teardown(tiers, setup, teardown),
        cmocka_unit_test_setup_teardown(waits, setup, teardown),
        cmocka_unit_test_setup_teardown(of_others, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
