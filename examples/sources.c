/* SPDX-License-Identifier: MIT */
/*
 * Sources of memory: the same work on each of the ready-made disciplines.  Where the system has
 * no huge pages or no NUMA, that is said by vmdchuge() or vmdcnuma(), and the work is done on
 * ordinary memory.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>

static char buffer[256 * 1024];

/* 100 blocks of 1000 bytes; how many there was memory for. */
static int work(Vmdisc_t *disc)
{
    Vmalloc_t *vm = disc ? vmopen(disc, Vmbest, 0) : NULL;
    int n = 0;

    for (char *p; vm != NULL && n < 100 && (p = vmalloc(vm, 1000)) != NULL; n++)
        memset(p, n, 1000);
    if (vm != NULL)
        vmclose(vm);
    return n;
}

/* As work(), and the discipline, which was made for it, is freed. */
static void tell(const char *name, Vmdisc_t *disc)
{
    printf("%s: %d blocks\n", name, work(disc));
    if (disc != NULL && disc != Vmdcsystem)
        vmdcfree(disc);
}

/* The n-th request for a segment fails, for n = 1, 2, ..., until the work gets through: so each of
 * its requests has failed once. */
static void failing(void)
{
    Vmdisc_t *disc = vmdcfail(Vmdcsystem, 1, 0, 0, 0);
    size_t n = 1;

    while (disc != NULL && work(disc) < 100 && n < 1000)
        vmdcfailset(disc, ++n, 0, 0, 0);
    printf("with failures: got through, after %s failures, %s requests\n", n > 1 ? "some" : "no",
           disc != NULL && vmdcfailcount(disc) > 0 ? "some" : "no");
    vmdcfree(disc);
}

int main(int argc, char **argv)
{
    Vmdisc_t *huge = vmdchuge(0, VM_HUGEANY), *numa = vmdcnuma(VM_NUMAPREFER, 1UL);
    Vmdisc_t *quiet = argc > 1 && strcmp(argv[1], "log") == 0 ? vmdclog(Vmdcsystem, 2) : NULL;
    Vmhugestat_t got = {0, 0, 0};

    tell("a buffer", vmdcfixed(buffer, sizeof buffer));
    tell("inaccessible pages around", vmdcguard());
    printf("huge pages or others: %d blocks\n", work(huge != NULL ? huge : Vmdcsystem));
    if (huge != NULL && vmdchugestat(huge, &got) == 0 && got.huge + got.thp + got.plain == 0)
        printf("and all is given back\n");
    vmdcfree(huge);
    tell("node 0, if it can be", numa != NULL ? numa : Vmdcsystem);
    tell("with a log on descriptor 2, for \"sources log\"", quiet != NULL ? quiet : Vmdcsystem);
    failing();
    return 0;
}
