#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that was not linked to libvmalloc.so loads it in a thread, uses it in several, forks, unloads it
# while threads that used it live on, and does so again and again.
set -euo pipefail

library=$(realpath "${VMALLOC_BUILD:?}")/libvmalloc.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"

cat >"$work/load.c" <<'END'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc.h>

#define THREADS 4
static Vmalloc_t *(*open_)(Vmdisc_t *, Vmethod_t *, int);
static int (*close_)(Vmalloc_t *);
static void *(*alloc)(Vmalloc_t *, size_t);
static int (*free_)(Vmalloc_t *, void *);
static Vmalloc_t *shared;
static pthread_barrier_t used, unloaded;

static void use(Vmalloc_t *vm)
{
    char *p[100];
    for (int i = 0; i < 100; i++)
        if ((p[i] = alloc(vm, 1 + (size_t)i * 50)) == NULL)
            abort();
        else
            memset(p[i], i, 1 + (size_t)i * 50);
    for (int i = 0; i < 100; i++)
        free_(vm, p[i]);
}

static void *work(void *arg)
{
    use(shared);
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&unloaded);
    return arg; /* what the library left in this thread must not be called now */
}

static void *get(void *library, const char *name)
{
    void *p = dlsym(library, name);
    if (p == NULL)
        abort();
    return p;
}

static void forked(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        abort();
}

static void *round_of(void *file)
{
    pthread_t thread[THREADS];
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        puts(dlerror());
        exit(1);
    }
    *(void **)&open_ = get(library, "vmopen");
    *(void **)&close_ = get(library, "vmclose");
    *(void **)&alloc = get(library, "vmalloc");
    *(void **)&free_ = get(library, "vmfree");
    shared = open_(*(Vmdisc_t **)get(library, "Vmdcsystem"), *(Vmethod_t **)get(library, "Vmbest"), 0);
    if (shared == NULL)
        abort();
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, work, NULL);
    pthread_barrier_wait(&used);
    use(shared);
    forked();
    if (close_(shared) != 0 || dlclose(library) != 0)
        abort();
    forked();
    pthread_barrier_wait(&unloaded);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_barrier_init(&used, NULL, THREADS + 1);
    pthread_barrier_init(&unloaded, NULL, THREADS + 1);
    for (int i = 0; argc > 1 && i < 50; i++) {
        pthread_create(&thread, NULL, round_of, argv[1]);
        pthread_join(thread, NULL);
    }
    return 0;
}
END
"${CC:-cc}" -Wall -I"$VMALLOC_SOURCE/include" "$work/load.c" -o "$work/load" -pthread -ldl
"$work/load" "$library"
