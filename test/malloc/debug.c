/* SPDX-License-Identifier: MIT */
/* Programs under VMDEBUG: what each crime ends with, at both levels, and that correct ones are silent. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "spawn.h"
#include <vmalloc.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/uio.h>
#include <wchar.h>

extern int on_exit(void (*f)(int status, void *arg), void *arg) __attribute__((weak));

static char volatile sink;

/* Kept from the compiler, which knows what malloc does. */
static void *opaque(void *p)
{
    void *volatile v = p;
    return v;
}

/* What is written there is not left out, though nobody reads it. */
static volatile char *at(char *p, long offset)
{
    return (volatile char *)opaque(p) + offset;
}

static char *block(size_t size)
{
    return opaque(malloc(size));
}

/* ---- what the children do ---- */

static void write_past(void) { char *p = block(100); *at(p, 100) = 1; free(p); }
static void write_far_past(void) { *at(block(100), 113) = 1; }
static void read_far_past(void) { sink = *at(block(100), 120); }
static void read_past_none(void) { sink = *at(block(0), 0); }
static void write_before(void) { char *p = block(100); *at(p, -1) = 1; free(p); }
static void read_before(void) { sink = *at(block(100), -100); }
static void read_just_before(void) { sink = *at(block(100), -1); }
static void write_freed(void) { char *p = block(100); free(p); *at(p, 7) = 1; }
static void read_freed(void) { char *p = block(100); free(p); sink = *at(p, 7); }
static void free_twice(void) { char *p = block(100); free(p); free(opaque(p)); }
static void free_inside(void) { free(opaque(block(100) + 16)); }
static void resize_freed(void)
{
    char *p = block(100);
    free(p);
    if (realloc(opaque(p), 200) != NULL || errno != EINVAL)
        _exit(1);
}
static void overflow(void)
{
    volatile size_t n = SIZE_MAX / 2;
    if (opaque(calloc(n, 4)) != NULL || errno != ENOMEM)
        _exit(1);
}
static void bad_alignment(void)
{
    void *p;
    if (posix_memalign(&p, opaque(NULL) == NULL ? 3 : 8, 8) != EINVAL)
        _exit(1);
}
/* By functions of libc. */
static void copy_past(void) { char *p = block(100); memset(p, 1, opaque(p) == p ? 101 : 1); }
static void string_past(void) { char *p = block(10); memset(p, 'a', 10); sink = (char)strlen(p); }
static void string_copy_past(void) { strcpy(block(10), opaque("0123456789")); }
static void wide_copy_past(void) { wcscpy((wchar_t *)(void *)block(40), opaque(L"0123456789")); }
static void copy_before(void) { char to[8]; memcpy(to, block(10) - 4, sizeof to); sink = to[0]; }
static void copy_freed(void) { char *p = block(10), to[8]; free(p); memcpy(to, opaque(p), 8); sink = to[0]; }
static void copy_overlapping(void) { char *p = block(10); memcpy(p, opaque(p + 1), 9); }
static void write_out_past(void) { if (write(-1, block(10), 11) == 0) _exit(1); }
static void exact(void)
{
    wchar_t *w = opaque(malloc(40));
    char *p = block(10), *q = block(10);
    strcpy(p, opaque("012345678"));
    memcpy(q, p, 10);
    memmove(p, p + 1, 9);
    wcscpy(w, opaque(L"012345678"));
    sink = (char)(strlen(q) + wcslen(w) + (size_t)strcmp(p, q) + (strchr(q, '9') != NULL));
    strncpy(q, opaque("0123456789abc"), 10);
    if (strnlen(q, 10) != 10 || memcmp(q, "0123456789", 10) != 0 || strcmp(q, opaque("1")) >= 0)
        _exit(1);
}

/* What libc refuses is refused as ever, and room that is not used need not be there. */
static void no_format(void)
{
#ifdef __GLIBC__ /* others do not look whether there is one */
    int (*volatile print)(const char *, ...) = printf;
    int (*volatile wprint)(const wchar_t *, ...) = wprintf;
    int (*volatile sprint)(char *, const char *, ...) = sprintf;
    if (print(NULL) != -1 || errno != EINVAL || wprint(NULL) != -1 || sprint(block(10), NULL) != -1)
        _exit(1);
#endif
}

static void paths(void)
{
    char *to = block(16);
    struct iovec *nowhere = opaque((void *)8);
    int fd = open("/dev/zero", O_RDWR);
    if (chdir("/proc") != 0 || getcwd(to, (size_t)(opaque(to) == to) << 12) != to || strcmp(to, "/proc") != 0 ||
        readlink("/proc/self", to, (size_t)(opaque(to) == to) << 12) <= 0)
        _exit(1);
    if (readv(fd, nowhere, 1) != -1 || errno != EFAULT || writev(fd, opaque(NULL), 1) != -1 ||
        errno != EFAULT || readv(fd, nowhere, 1 << 20) != -1 || errno != EINVAL)
        _exit(2);
}
static void path_past(void)
{
    char *p = block(4);
    if (chdir("/proc") != 0 || getcwd(p, (size_t)(opaque(p) == p) << 12) == NULL)
        _exit(errno == EFAULT ? 0 : 1);
}

static sigjmp_buf back;
static void handler(int sig)
{
    (void)sig;
    siglongjmp(back, 1);
}
static void fault_handled(void)
{
    struct sigaction act = {.sa_handler = handler}, old;
    if (sigaction(SIGSEGV, &act, NULL) != 0 || sigaction(SIGSEGV, NULL, &old) != 0 ||
        old.sa_handler != handler)
        _exit(1);
    if (sigsetjmp(back, 1) == 0) {
        *at(opaque(NULL), 8) = 1;
        _exit(2);
    }
}

static void use_unwritten(void) { sink = **(char **)opaque(malloc(100)); }

static void *worker(void *arg)
{
    (void)arg;
    for (int i = 0; i < 4000; i++) {
        size_t n = (size_t)(i * 7919 % 3000);
        char *p = block(n), *q = calloc(1, n + 1);
        memset(p, 1, n);
        for (size_t k = 0; k <= n; k += 97)
            if (q[k] != 0)
                abort();
        p = realloc(p, n + 100);
        if (n > 0 && p[n - 1] != 1)
            abort();
        if (malloc_usable_size(p) < n + 100)
            abort();
        memset(p, 2, n + 100);
        free(p);
        free(q);
    }
    return NULL;
}

static void correct(void)
{
    pthread_t t[4];
    pid_t pid;
    int status;
    void *a;
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, worker, NULL);
    pid = fork();
    if (pid == 0) {
        free(block(10));
        exit(7);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
        abort();
    for (size_t align = 16; align <= 65536; align *= 2) {
        if (posix_memalign(&a, align, 100) != 0 || (uintptr_t)a % align != 0)
            abort();
        memset(a, 3, 100);
        free(a);
    }
}

/* Threads that free a few blocks each, and nothing else, leave these to those that come later. */
static void *frees(void *blocks)
{
    for (int i = 0; i < 8; i++)
        free(((void **)blocks)[i]);
    return NULL;
}

static void short_threads(void)
{
    int (*stat)(Vmalloc_t *, Vmstat_t *) =
        (int (*)(Vmalloc_t *, Vmstat_t *))(uintptr_t)dlsym(RTLD_DEFAULT, "vmstat");
    Vmalloc_t **vm = (Vmalloc_t **)dlsym(RTLD_DEFAULT, "Vmregion");
    Vmstat_t st;
    for (int n = 0; n < 300; n++) {
        void *blocks[8];
        pthread_t t;
        for (int i = 0; i < 8; i++)
            blocks[i] = block(10000);
        if (pthread_create(&t, NULL, frees, blocks) == 0)
            pthread_join(t, NULL);
        else
            frees(blocks);
    }
    if (stat == NULL || vm == NULL || stat(*vm, &st) != 0 || st.extent > 16 << 20)
        _exit(3);
}

static void no_descriptors(void)
{
    struct rlimit none = {0, 0};
    long (*leaks)(Vmalloc_t *) = (long (*)(Vmalloc_t *))(uintptr_t)dlsym(RTLD_DEFAULT, "vmdbleaks");
    if (leaks == NULL || setrlimit(RLIMIT_NOFILE, &none) != 0 || leaks(NULL) != -1 || errno != EAGAIN)
        _exit(4);
}

typedef struct crime {
    const char *name;
    void (*doit)(void);
    int levels; /* 1: found with fences, 2: with guards above, 4: with guards below */
    int dies;   /* by SIGSEGV in the end */
} crime_t;

static const crime_t crimes[] = {
    {"write past", write_past, 7, 0},         {"write far past", write_far_past, 6 | 1, 0},
    {"read far past", read_far_past, 2, 0},   {"read past none", read_past_none, 2, 0},
    {"write before", write_before, 7, 0},     {"read before", read_before, 4, 0},
    {"read just before", read_just_before, 4, 0},
    {"write freed", write_freed, 7, 0},       {"read freed", read_freed, 6, 0},
    {"free twice", free_twice, 7, 0},         {"free inside", free_inside, 7, 0},
    {"resize freed", resize_freed, 7, 0},     {"overflow", overflow, 7, 0},
    {"copy past", copy_past, 7, 0},           {"string past", string_past, 7, 0},
    {"string copy past", string_copy_past, 7, 0}, {"wide copy past", wide_copy_past, 7, 0},
    {"copy before", copy_before, 7, 0},       {"copy freed", copy_freed, 7, 0},
    {"copy overlapping", copy_overlapping, 7, 0}, {"write out past", write_out_past, 7, 0},
    {"exact", exact, 0, 0},                   {"fault handled", fault_handled, 0, 0},
    {"no format", no_format, 0, 0},           {"paths", paths, 0, 0},
    {"path past", path_past, 7, 0},
    {"bad alignment", bad_alignment, 7, 0},   {"use unwritten", use_unwritten, 7, 1},
};
enum { CRIMES = sizeof crimes / sizeof *crimes };

/* What the address is cannot be asked of the system, but that it is there can. */
static void free_static_unseen(void)
{
    struct rlimit none = {0, 0};
    static char data[100];
    if (setrlimit(RLIMIT_NOFILE, &none) == 0)
        free(opaque(data));
}

/* Blocks until there is no memory, or enough where the limit is not kept, and all of them back. */
static void fill_and_drop(rlim_t room)
{
    struct rlimit limit;
    char **kept = NULL, **p;
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld", &pages) != 1)
        _exit(0);
    fclose(f);
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + room;
    setrlimit(RLIMIT_AS, &limit);
    for (size_t i = 0; i < 20000; i++) {
        size_t size = i % 7 == 0 ? 200000 : i % 3 * 500 + sizeof *p;
        p = opaque(malloc(size));
        if (p == NULL && errno != ENOMEM)
            _exit(1);
        if (p == NULL)
            break;
        memset(p, 1, size);
        *p = (char *)kept;
        kept = p;
    }
    free(opaque(calloc(1000, 1000)));
    free(opaque(realloc(NULL, 300000)));
    for (; (p = kept) != NULL; free(p))
        kept = (char **)*p;
    for (size_t i = 0; i < 100; i++)
        free(opaque(calloc(i, 500)));
    _exit(0);
}

static void run_out_of_memory(void)
{
    for (rlim_t room = 1 << 20; room < 40 << 20; room += room / 2) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
            fill_and_drop(room);
        if (waitpid(pid, &status, 0) == pid && status != 0)
            _exit(1);
    }
}

static int perform(const char *name)
{
    for (int i = 0; i < CRIMES; i++)
        if (strcmp(crimes[i].name, name) == 0)
            crimes[i].doit();
    if (strcmp(name, "correct") == 0)
        correct();
    if (strcmp(name, "short threads") == 0)
        short_threads();
    if (strcmp(name, "no descriptors") == 0)
        no_descriptors();
    if (strcmp(name, "free static unseen") == 0)
        free_static_unseen();
    if (strcmp(name, "run out of memory") == 0)
        run_out_of_memory();
    return strcmp(name, "status") == 0 ? (free_twice(), 5) : 0;
}

/* ---- the tests ---- */

static int ended(const child_t *c, int status)
{
    return WIFEXITED(c->status) && WEXITSTATUS(c->status) == status;
}

static int killed(const child_t *c, int sig)
{
    return WIFSIGNALED(c->status) && WTERMSIG(c->status) == sig;
}

static void each(const char *options, int level)
{
    for (int i = 0; i < CRIMES; i++) {
        child_t c = spawn_with(crimes[i].name, "VMDEBUG", options);
        int found = crimes[i].levels & level;
        int right = crimes[i].dies ? killed(&c, SIGSEGV) : ended(&c, found ? 99 : 0);
        if (!right || (c.said[0] != '\0') != !!found)
            print_error("%s, %s: status %x, said: %s\n", options, crimes[i].name, c.status, c.said);
        assert_true(right);
        assert_int_equal(c.said[0] != '\0', !!found);
    }
}

static void test_fences(void **state)
{
    (void)state;
    each("exitcode=99,noleaks", 1);
}

static void test_guards_above(void **state)
{
    (void)state;
    each("guard,exitcode=99,noleaks", 2);
}

static void test_guards_below(void **state)
{
    (void)state;
    each("guard=below,exitcode=99,noleaks", 4);
}

static void test_correct_programs_are_silent(void **state)
{
    static const char *const options[] = {"1",  "guard", "guard=below", "guard=alternate", "period=1000",
                                          "sample=20", "quarantine=0", "age=0", "depth=0"};
    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        child_t c = spawn_with("correct", "VMDEBUG", options[i]);
        if (!ended(&c, 0))
            print_error("%s: status %x\n", options[i], c.status);
        assert_string_equal(c.said, "");
        assert_true(ended(&c, 0));
    }
}

static void test_short_threads_leave_no_memory(void **state)
{
    child_t c = spawn_with("short threads", "VMDEBUG", "quarantine=1Mi");
    (void)state;
    assert_string_equal(c.said, "");
    assert_true(ended(&c, 0));
}

static void test_a_scan_that_cannot_be_made_is_told(void **state)
{
    child_t c = spawn_with("no descriptors", "VMDEBUG", "leaks");
    (void)state;
    assert_true(ended(&c, 0));
    assert_non_null(strstr(c.said, "leaks: not looked for: no descriptor"));
}

static void test_status_is_the_programs_own(void **state)
{
    child_t c = spawn_with("status", "VMDEBUG", "1");
    (void)state;
    assert_true(ended(&c, 5));
    c = spawn_with("status", "VMDEBUG", "exitcode=99");
    assert_true(ended(&c, on_exit != NULL ? 5 : 99)); /* else nobody tells how a program ends (musl) */
    c = spawn_with("status", "VMDEBUG", "exitcode=99,force");
    assert_true(ended(&c, 99));
    c = spawn_with("free twice", "VMDEBUG", "1");
    assert_true(ended(&c, 0));
    c = spawn_with("free twice", "VMDEBUG", "abort");
    assert_true(spawn_aborted(&c));
    c = spawn_with("free twice", "VMDEBUG", "a");
    assert_true(spawn_aborted(&c));
}

/* Where the system has them. */
static void test_watchpoints(void **state)
{
    child_t c = spawn_with("read just before", "VMDEBUG", "watch=front,exitcode=99,noleaks");
    (void)state;
    assert_true(c.said[0] != '\0');
    if (strstr(c.said, "no hardware watchpoints") == NULL)
        assert_true(ended(&c, 99));
    c = spawn_with("exact", "VMDEBUG", "watch=front,exitcode=99,noleaks");
    assert_true(ended(&c, 0));
}

/* Each allocation in turn fails; the program copes, or its use of NULL is told. */
static void test_failures_on_purpose(void **state)
{
    child_t c = spawn_with("read far past", "VMDEBUG", "fail=1,noleaks");
    (void)state;
    assert_true(killed(&c, SIGSEGV));
    assert_non_null(strstr(c.said, "fail: allocation 1 "));
    c = spawn_with("exact", "VMDEBUG", "fail=100000,noleaks");
    assert_true(ended(&c, 0));
    assert_string_equal(c.said, "");
    c = spawn_with("exact", "VMDEBUG", "fail=every=1,noleaks");
    assert_true(killed(&c, SIGSEGV));
}

static void test_an_address_is_told_without_proc(void **state)
{
    child_t c = spawn_with("free static unseen", "VMDEBUG", "noleaks");
    (void)state;
    assert_true(ended(&c, 0));
    assert_non_null(strstr(c.said, "not a block: memory that did not come from malloc"));
}

static void test_memory_that_runs_out(void **state)
{
    static const char *const levels[] = {"noleaks", "guard,noleaks", "guard=below,noleaks"};
    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        child_t c = spawn_with("run out of memory", "VMDEBUG", levels[i]);
        assert_null(strstr(c.said, " at 0x"));
        assert_true(ended(&c, 0));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fences),
        cmocka_unit_test(test_guards_above),
        cmocka_unit_test(test_guards_below),
        cmocka_unit_test(test_correct_programs_are_silent),
        cmocka_unit_test(test_short_threads_leave_no_memory),
        cmocka_unit_test(test_a_scan_that_cannot_be_made_is_told),
        cmocka_unit_test(test_status_is_the_programs_own),
        cmocka_unit_test(test_watchpoints),
        cmocka_unit_test(test_failures_on_purpose),
        cmocka_unit_test(test_an_address_is_told_without_proc),
        cmocka_unit_test(test_memory_that_runs_out),
    };
    if (argc > 1)
        return perform(argv[1]);
    setenv("VMALLOC_TOOL", "/nonexistent", 1); /* names of functions do not matter here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
