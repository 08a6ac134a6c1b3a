/* SPDX-License-Identifier: MIT */
/*
 * A cache that four processes use at once, and one of them is killed while it changes an entry.  The region keeps
 * itself in order; what is in the blocks is kept by a robust mutex of POSIX, which tells the next one that its owner
 * died, and by a note of what is being changed.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc/share.h>

enum { CACHE = 1, SLOTS = 100 };

struct cache {
    pthread_mutex_t lock;
    int changing; /* the slot that is being changed, -1: none */
    char *text[SLOTS];
};

static void lock(struct cache *c)
{
    if (pthread_mutex_lock(&c->lock) != EOWNERDEAD)
        return;
    if (c->changing >= 0) /* who knows what is in it: a cache may lose an entry */
        c->text[c->changing] = NULL;
    c->changing = -1;
    pthread_mutex_consistent(&c->lock);
}

static void put(Vmalloc_t *vm, struct cache *c, int slot, int who)
{
    lock(c);
    c->changing = slot;
    vmfree(vm, c->text[slot]);
    c->text[slot] = vmalloc(vm, 40);
    if (who == 3 && slot == 50)
        kill(getpid(), SIGKILL); /* with the lock */
    snprintf(c->text[slot], 40, "%d", slot * slot);
    c->changing = -1;
    pthread_mutex_unlock(&c->lock);
}

static struct cache *make(Vmalloc_t *vm)
{
    struct cache *c = vmresize(vm, NULL, sizeof *c, VM_RSZERO);
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&c->lock, &robust);
    c->changing = -1;
    vmmvalue(vm, CACHE, c, VM_MMSET);
    return c;
}

int main(void)
{
    Vmalloc_t *vm = vmmopen("shared cache", getpid(), 1 << 20); /* others open it by the same name */
    struct cache *c = make(vm);
    int entries = 0, dead = 0, status;

    for (int who = 0; who < 4; who++)
        if (fork() == 0) {
            c = vmmvalue(vm, CACHE, NULL, VM_MMGET);
            for (int i = who == 3 ? 50 : 0; i < SLOTS; i++)
                put(vm, c, i, who);
            return 0;
        }
    while (wait(&status) > 0)
        dead += WIFSIGNALED(status) ? 1 : 0;
    lock(c);
    for (int i = 0; i < SLOTS; i++)
        entries += c->text[i] != NULL;
    printf("%d died; %s; faults found: %d\n", dead, entries >= SLOTS - 1 ? "one entry lost at most" : "entries lost",
           vmdbcheck(vm));
    vmmrelease(vm, 1);
    return vmclose(vm);
}
