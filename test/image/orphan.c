/* SPDX-License-Identifier: MIT */
/* A child of fork() that lives on does not keep others from writing an image of its parent, which died or closed it. */
#include "_test.h"

#include <signal.h>

/* What the parent does once it has a child that only waits. */
typedef void (*parent_f)(Vmalloc_t *vm);

static void dies(Vmalloc_t *vm)
{
    (void)vm;
    raise(SIGKILL);
}

static void closes(Vmalloc_t *vm)
{
    _exit(vmclose(vm) != 0);
}

/* A process that opens the image, and has a child that ends when pipe `until` does. */
static void parent(unsigned flags, parent_f then, int until, int told)
{
    Vmalloc_t *vm = open_image(file, flags, NULL);
    char c = 0;
    pid_t child;

    if (vm == NULL || (flags & VM_IMGTURNS && vmturn(vm, 1) != 0) || vmrootset(vm, "root", vm, 0, 1) != 0 ||
        vmcommit(vm) != 0 || (child = fork()) < 0)
        _exit(1);
    if (child == 0)
        _exit(write(told, &c, 1) != 1 || read(until, &c, 1) != 0);
    close(told);
    then(vm);
}

static void orphaned(unsigned flags, parent_f then)
{
    int until[2], told[2], status;
    Vmalloc_t *vm;
    pid_t pid;
    char c;

    assert_int_equal(pipe(until) | pipe(told), 0);
    pid = fork();
    if (pid == 0) {
        close(until[1]);
        parent(flags, then, until[0], told[1]);
    }
    close(told[1]);
    assert_int_equal(read(told[0], &c, 1), 1); /* the child is there, */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(then == dies ? WIFSIGNALED(status) : status == 0);
    vm = open_image(file, flags, NULL); /* and lives, for until[1] is open */
    assert_non_null(vm);
    if (flags & VM_IMGTURNS)
        assert_int_equal(vmturn(vm, 1), 0);
    assert_non_null(vmrootget(vm, "root", NULL));
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    close(until[1]);
    assert_int_equal(read(told[0], &c, 1), 0); /* it has ended */
    close(until[0]);
    close(told[0]);
}

static void of_dead(void **state)
{
    (void)state;
    orphaned(0, dies);
}

static void of_closed(void **state)
{
    (void)state;
    orphaned(0, closes);
}

static void in_turns(void **state)
{
    (void)state;
    orphaned(VM_IMGTURNS, dies);
}

static const char *program; /* this one; /proc/self/exe may be Valgrind */

/* While the parent lives, its right to write is its own: a child that forgets does not give it up. */
static void of_living(void **state)
{
    Vmalloc_t *vm = open_image(file, 0, NULL);
    int status;
    pid_t pid;

    (void)state;
    assert_non_null(vm);
    pid = fork();
    if (pid == 0)
        _exit(vmcommit(vm) != -1 || errno != EPERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    pid = fork();
    if (pid == 0) {
        execl(program, "orphan", file, (char *)NULL);
        _exit(9);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_dead, setup, teardown),
        cmocka_unit_test_setup_teardown(of_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(in_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(of_living, setup, teardown),
    };

    program = argv[0];
    if (argc > 1) /* another program, which is refused */
        return vmimage(argv[1], NULL) != NULL || errno != EBUSY;
    if (access("/proc/self/fd", X_OK) != 0)
        return 77; /* a second opening cannot be had */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
