/* SPDX-License-Identifier: MIT */
/* A queue of work shared by processes, of which some die in the middle: what they had begun is done
 * by others, and the region that holds it all stays whole. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc/share.h>

enum { QUEUE = 1 }; /* the number by which all find the queue in the region */

struct job {
    struct job *next;
    int number, tries;
    pid_t worker; /* 0: nobody's; -1: done */
    char *answer; /* a block of the process that did it */
};

static int take(struct job *j) /* nobody has it, or who had it is no more */
{
    pid_t was = __atomic_load_n(&j->worker, __ATOMIC_ACQUIRE);
    return was != -1 && (was == 0 || kill(was, 0) != 0) &&
           __atomic_compare_exchange_n(&j->worker, &was, getpid(), 0, __ATOMIC_ACQ_REL, 0);
}

static void work(Vmalloc_t *vm)
{
    struct job *j;
    for (j = vmmvalue(vm, QUEUE, NULL, VM_MMGET); j != NULL; j = j->next)
        if (take(j)) {
            j->answer = vmalloc(vm, 40);
            if (j->tries++ == 0 && j->number % 10 == 3)
                kill(getpid(), SIGKILL); /* what bad luck */
            snprintf(j->answer, 40, "%d", j->number * j->number);
            __atomic_store_n(&j->worker, -1, __ATOMIC_RELEASE);
        }
}

int main(void)
{
    Vmalloc_t *vm = vmmopen("work queue", getpid(), 1 << 20);
    struct job *j, *first = NULL;
    int dead = 0, before, status, i;

    for (i = 100; i > 0; i--, first = j)
        *(j = vmalloc(vm, sizeof *j)) = (struct job){first, i, 0, 0, NULL};
    vmmvalue(vm, QUEUE, first, VM_MMSET);
    do { /* three at a time, until none dies */
        for (before = dead, i = 0; i < 3; i++)
            if (fork() == 0)
                return work(vm), 0;
        while (wait(&status) > 0)
            dead += WIFSIGNALED(status) ? 1 : 0;
    } while (dead > before);
    for (i = 0, j = first; j != NULL; j = j->next)
        i += j->worker == -1;
    printf("%d jobs done; %d workers died; faults found: %d\n", i, dead, vmdbcheck(vm));
    vmmrelease(vm, 1);
    return vmclose(vm);
}
