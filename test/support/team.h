/* SPDX-License-Identifier: MIT */
/* Threads for tests: a team that starts together, and how much work is fitting. */
#ifndef TEST_TEAM_H
#define TEST_TEAM_H 1

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* Sanitizers make threads ten times slower.  That of threads allows none in the child of a process
 * that had some. */
#if defined(__has_feature)
#define TEAM_FEATURE(x) __has_feature(x)
#else
#define TEAM_FEATURE(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || TEAM_FEATURE(thread_sanitizer)
#define TEAM_SLOW 8
#define TEAM_INCHILD 0
#elif defined(__SANITIZE_ADDRESS__) || TEAM_FEATURE(address_sanitizer)
#define TEAM_SLOW 8
#define TEAM_INCHILD 1
#else
#define TEAM_SLOW 1
#define TEAM_INCHILD 1
#endif

#define TEAM_MOST 64

typedef struct team {
    pthread_t thread[TEAM_MOST];
    pthread_barrier_t go;
    size_t n;
    void (*work)(size_t me, void *arg);
    void *arg;
} team_t;

typedef struct team_member {
    team_t *team;
    size_t me;
} team_member_t;

static inline void *team_enter(void *arg)
{
    team_member_t m = *(team_member_t *)arg;
    free(arg);
    pthread_barrier_wait(&m.team->go);
    m.team->work(m.me, m.team->arg);
    return NULL;
}

/* Start n threads that run work(0..n-1, arg). */
static inline int team_start(team_t *t, size_t n, void (*work)(size_t, void *), void *arg)
{
    size_t i;
    t->n = n;
    t->work = work;
    t->arg = arg;
    if (n > TEAM_MOST || pthread_barrier_init(&t->go, NULL, (unsigned)n) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        team_member_t *m = (team_member_t *)malloc(sizeof *m);
        m->team = t;
        m->me = i;
        if (pthread_create(&t->thread[i], NULL, team_enter, m) != 0)
            return -1;
    }
    return 0;
}

static inline void team_join(team_t *t)
{
    size_t i;
    for (i = 0; i < t->n; i++)
        pthread_join(t->thread[i], NULL);
    pthread_barrier_destroy(&t->go);
}

/* In a child process: a crash is the child's end, and not caught by the frame of tests. */
static inline void team_child(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    size_t i;
    for (i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
}

static inline int team_run(size_t n, void (*work)(size_t, void *), void *arg)
{
    team_t t;
    if (team_start(&t, n, work, arg) != 0)
        return -1;
    team_join(&t);
    return 0;
}

#endif
