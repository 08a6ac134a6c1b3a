/* SPDX-License-Identifier: MIT */
/* Tests of the rest that hold on every platform; the file that includes this one chooses it. */
#include "_test.h"

#include <signal.h>
#include <sys/stat.h>

extern char **environ;

static void clocks(void **state)
{
    uint64_t n0 = vmos_nanotime(), c0 = vmos_coarsetime();
    (void)state;
    assert_true(n0 != 0);
    usleep(30000);
    assert_true(vmos_nanotime() - n0 >= 30000000);
    assert_in_range(vmos_coarsetime() - c0, 15, 10000);
    assert_true(vmos_coarsetime() <= vmos_nanotime() / 1000000 + 1);
}

static void random_numbers_differ(void **state)
{
    uint64_t x[64], all = 0;
    (void)state;
    errno = 77;
    for (int i = 0; i < 64; i++) {
        x[i] = vmos_random();
        all |= x[i];
        for (int j = 0; j < i; j++)
            assert_true(x[i] != x[j]);
    }
    assert_true(all == ~(uint64_t)0); /* else with odds of 64 to 2^64 */
    assert_int_equal(errno, 77);
}

static void reads_the_environment(void **state)
{
    char **all = environ;
    (void)state;
    setenv("VMOS_TEST", "one=two", 1);
    setenv("VMOS_TEST_EMPTY", "", 1);
    unsetenv("VMOS_TES");
    errno = 77;
    assert_string_equal(vmos_getenv("VMOS_TEST"), "one=two");
    assert_string_equal(vmos_getenv("VMOS_TEST_EMPTY"), "");
    assert_null(vmos_getenv("VMOS_TES"));
    assert_int_equal(errno, 77);
    all = environ;
    environ = NULL; /* as before libc is ready: some answer, no crash */
    vmos_getenv("VMOS_TEST");
    assert_null(vmos_getenv("VMOS_NOT_THERE"));
    environ = all;
}

static void creates_and_writes(void **state)
{
    char path[] = "vmos-test-XXXXXX", text[32];
    int fd = mkstemp(path), out;
    struct stat st;
    (void)state;
    assert_int_equal(write(fd, "longer than before", 18), 18);
    errno = 77;
    out = vmos_create(path);
    assert_true(out >= 50);
    assert_true(fcntl(out, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(vmos_write(out, "hello", 5), 0);
    assert_int_equal(vmos_write(out, "", 0), 0);
    assert_int_equal(errno, 77);
    assert_int_equal(pread(fd, text, sizeof(text), 0), 5);
    assert_memory_equal(text, "hello", 5);
    close(out);
    close(fd);
    unlink(path);
    out = vmos_create(path);
    assert_int_equal(fstat(out, &st), 0);
    assert_int_equal(st.st_mode & 0777 & ~0644, 0);
    close(out);
    unlink(path);
}

static void copies(void **state)
{
    int fds[2], copy;
    char c = 0;
    (void)state;
    assert_int_equal(pipe(fds), 0);
    errno = 77;
    copy = vmos_copyfd(fds[1]);
    assert_true(copy >= 50);
    assert_int_equal(errno, 77);
    assert_true(fcntl(copy, F_GETFD) & FD_CLOEXEC);
    close(fds[1]);
    assert_int_equal(vmos_write(copy, "x", 1), 0);
    assert_int_equal(read(fds[0], &c, 1), 1);
    close(copy);
    close(fds[0]);
    assert_int_equal(vmos_copyfd(copy), -1);
    assert_int_equal(errno, EBADF);
}

static void refuses(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(vmos_create("/nowhere/at/all"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(vmos_write(-1, "x", 1), -1);
    assert_int_equal(errno, EBADF);
}

/* A pipe that fills: the write is cut into pieces, and signals come between. */
static void onsignal(int sig)
{
    (void)sig;
}

#define LONG ((size_t)1 << 18)

static void *reader(void *arg)
{
    static char buf[4096];
    int fd = *(int *)arg;
    size_t sum = 0;
    ssize_t n;
    while (sum < LONG && (n = read(fd, buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if ((unsigned char)buf[i] != pat_byte(3, sum + (size_t)i))
                return NULL;
        sum += (size_t)n;
    }
    return sum == LONG ? arg : NULL;
}

static void *interrupter(void *arg)
{
    for (int i = 0; i < 50; i++) {
        pthread_kill(*(pthread_t *)arg, SIGUSR1);
        usleep(200);
    }
    return NULL;
}

static void writes_all(void **state)
{
    static char text[LONG];
    struct sigaction sa;
    int ends[2];
    pthread_t r, s, self = pthread_self();
    void *good;
    (void)state;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = onsignal; /* without SA_RESTART */
    sigaction(SIGUSR1, &sa, NULL);
    pat_fill(text, 0, LONG, 3);
    assert_int_equal(pipe(ends), 0);
    pthread_create(&s, NULL, interrupter, &self);
    usleep(1000);
    pthread_create(&r, NULL, reader, &ends[0]);
    assert_int_equal(vmos_write(ends[1], text, LONG), 0);
    pthread_join(r, &good);
    pthread_join(s, NULL);
    assert_non_null(good);
    close(ends[0]);
    close(ends[1]);
}

static void aborts(void **state)
{
    int status;
    pid_t pid = fork();
    (void)state;
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        vmos_abort();
    }
    assert_int_equal(vmos_pid(), getpid());
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int run_misc(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks),
        cmocka_unit_test(random_numbers_differ),
        cmocka_unit_test(reads_the_environment),
        cmocka_unit_test(creates_and_writes),
        cmocka_unit_test(copies), cmocka_unit_test(refuses),
        cmocka_unit_test(writes_all),
        cmocka_unit_test(aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
