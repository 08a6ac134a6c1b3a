/* SPDX-License-Identifier: MIT */
/* Names: from the helper, without it, from one that does not answer, and unseen by the program. */
#include "_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#ifndef TOOL
#define TOOL "/nonexistent/vmalloc"
#endif
#define SECONDS 20000 /* enough, also under valgrind */

static void *pcs[32];
static size_t n;

static inline __attribute__((always_inline)) void take_inlined(void)
{
    n = vmsk_capture(pcs, 32, 0);
    STAY();
}

FRAME static void take(void)
{
    take_inlined();
}

typedef struct seen {
    size_t calls, next;
    char text[2000];
} seen_t;

static void see(size_t i, const vmsk_name_t *name, void *arg)
{
    seen_t *seen = arg;
    const char *file = strrchr(name->file, '/');
    size_t length = strlen(seen->text);
    assert_true(i == seen->next || i + 1 == seen->next);
    assert_string_not_equal(name->file, "?"); /* as the helper tells what is not known: cmocka's, most times */
    seen->next = i + 1;
    seen->calls++;
    snprintf(seen->text + length, sizeof(seen->text) - length, "%s %s%s\n", name->function,
             file != NULL ? file + 1 : "?", name->inlined ? " inlined" : "");
}

static int resolve(seen_t *seen, unsigned millis)
{
    memset(seen, 0, sizeof(*seen));
    return vmsk_resolve(pcs, n, millis, see, seen);
}

/* Does the command that was built know symbols, and is there one at all? */
static int has_symbols(void)
{
    char line[200] = "";
    FILE *f;
    if (access(TOOL, X_OK) != 0)
        return 0;
    f = popen(TOOL " --version", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL && strncmp(line, "symbols:", 8) != 0) {
    }
    if (f != NULL)
        pclose(f);
    return strstr(line, ": elfutils") != NULL;
}

static int with_tool(void **state)
{
    (void)state;
    return setenv("VMALLOC_TOOL", TOOL, 1);
}

static void names(void **state)
{
    seen_t seen;
    (void)state;
    if (!has_symbols())
        skip();
    take();
    errno = 77;
    assert_int_equal(resolve(&seen, SECONDS), 0);
    assert_int_equal(errno, 77);
    assert_int_equal(seen.next, n);
    assert_non_null(strstr(seen.text, "take_inlined resolve.c inlined\ntake resolve.c\n"));
    assert_non_null(strstr(seen.text, "\nnames resolve.c\n"));
    assert_non_null(strstr(seen.text, "\nmain resolve.c\n"));
}

static void exported_only(seen_t *seen)
{
    assert_int_equal(seen->next, n);
    assert_int_equal(seen->calls, n);
    assert_non_null(strstr(seen->text, "_cmocka_run_group_tests ?\n"));
}

static void without_a_helper(void **state)
{
    seen_t seen;
    (void)state;
    take();
    assert_int_equal(resolve(&seen, 0), -1);
    exported_only(&seen);
    setenv("VMALLOC_TOOL", "/nonexistent", 1);
    assert_int_equal(resolve(&seen, SECONDS), -1);
    exported_only(&seen);
    setenv("VMALLOC_TOOL", "/bin/true", 1);
    assert_int_equal(resolve(&seen, SECONDS), -1);
    exported_only(&seen);
    setenv("VMALLOC_TOOL", "/bin/echo", 1);
    assert_int_equal(resolve(&seen, SECONDS), -1);
    exported_only(&seen);
}

/* One that sleeps: the time is kept. */
static void silent_helper(void **state)
{
    char path[] = "/tmp/vmalloc-test-XXXXXX";
    int fd = mkstemp(path);
    const char *text = "#!/bin/sh\necho 'vmalloc symbols 1'\nexec sleep 100\n";
    struct timespec a, b;
    seen_t seen;
    (void)state;
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    fchmod(fd, 0700);
    close(fd);
    setenv("VMALLOC_TOOL", path, 1);
    take();
    clock_gettime(CLOCK_MONOTONIC, &a);
    assert_int_equal(resolve(&seen, 300), -1);
    clock_gettime(CLOCK_MONOTONIC, &b);
    unlink(path);
    exported_only(&seen);
    assert_true(b.tv_sec - a.tv_sec < 60);
}

static volatile sig_atomic_t heard;
static void hear(int sig)
{
    heard += sig == SIGCHLD;
}

/* No SIGCHLD, no child to wait for, no descriptor left, whatever the program does with them. */
static void unseen(void **state)
{
    static void (*const ways[])(int) = {hear, SIG_IGN, SIG_DFL};
    int low = dup(0), status, want = access(TOOL, X_OK) == 0 ? 0 : -1;
    seen_t seen;
    (void)state;
    close(low);
    take();
    for (size_t i = 0; i < 3; i++) {
        signal(SIGCHLD, ways[i]);
        assert_int_equal(resolve(&seen, SECONDS), want);
        assert_int_equal(heard, 0);
        errno = 0;
        assert_int_equal(waitpid(-1, &status, 0), -1);
        assert_int_equal(errno, ECHILD);
    }
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(dup(0), low);
    close(low);
}

static void in_a_child_without_descriptors(void **state)
{
    int status;
    pid_t child;
    (void)state;
    if (!has_symbols())
        skip();
    take();
    child = fork();
    if (child == 0) {
        seen_t seen;
        close(0);
        close(1);
        close(2);
        if (resolve(&seen, SECONDS) != 0 || strstr(seen.text, "take resolve.c\n") == NULL ||
            fcntl(0, F_GETFD) != -1 || fcntl(2, F_GETFD) != -1)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names, with_tool),
        cmocka_unit_test(without_a_helper),
        cmocka_unit_test(silent_helper),
        cmocka_unit_test_setup(unseen, with_tool),
        cmocka_unit_test_setup(in_a_child_without_descriptors, with_tool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
