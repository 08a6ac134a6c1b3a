/* SPDX-License-Identifier: MIT */
/*
 * A region in a buffer of the program runs full and recovers: the VM_NOMEM handler gives up the
 * oldest records, and the request that failed succeeds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmalloc.h>
#include <vmalloc/discipline.h>

#define BUFFER  (64 * 1024)
#define RECORD  512
#define RECORDS 400 /* three times what the buffer holds */
#define GIVE_UP 20  /* records dropped at a time */

static char buffer[BUFFER];
static char *record[RECORDS];
static int oldest, newest; /* record[oldest] up to, without, record[newest] are in memory */
static int times;

static int run_full(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    int i;

    (void)disc;
    if (type != VM_NOMEM || oldest == newest)
        return 0;
    times++;
    if (times == 1)
        printf("  the buffer is full at record %d: the discipline has no %lu bytes more, VM_NOMEM is raised\n",
               newest, (unsigned long)(size_t)obj);
    for (i = 0; i < GIVE_UP && oldest < newest; i++)
        vmfree(vm, record[oldest++]);
    if (times == 1)
        printf("  the handler frees the %d oldest records; the same request is tried again\n", i);
    return 0;
}

static void fail(const char *what)
{
    printf("  FAILED: %s\n", what);
    exit(1);
}

static void write_records(Vmalloc_t *vm)
{
    for (newest = 0; newest < RECORDS; newest++) {
        record[newest] = vmalloc(vm, RECORD);
        if (!record[newest])
            fail("a record did not get its memory");
        if (record[newest] < buffer || record[newest] + RECORD > buffer + BUFFER)
            fail("a record lies outside the buffer");
        memset(record[newest], newest & 0xff, RECORD);
    }
}

static void check_records(void)
{
    int i, k;

    for (i = oldest; i < newest; i++)
        for (k = 0; k < RECORD; k++)
            if (record[i][k] != (char)(i & 0xff))
                fail("a record was overwritten");
}

int main(void)
{
    Vmdisc_t *disc = vmdcfixedin(buffer, sizeof(buffer));
    Vmalloc_t *vm = disc ? vmopen(disc, Vmbest, 0) : NULL;
    Vmstat_t st;

    if (!vm)
        fail("the region could not be opened");
    disc->exceptf = run_full;
    printf("  a region (Vmbest) is opened in an array of %d bytes of the program\n", BUFFER);
    write_records(vm);
    printf("  all %d records of %d bytes were written, and all lie in the array; it ran full %d times\n",
           RECORDS, RECORD, times);
    check_records();
    if (vmdbcheck(vm) != 0)
        fail("the structure of the region is damaged");
    vmstat(vm, &st);
    printf("  the last %d are there and whole: %lu blocks, %lu bytes busy, %lu free in %lu\n",
           newest - oldest, (unsigned long)st.n_busy, (unsigned long)st.s_busy,
           (unsigned long)st.s_free, (unsigned long)st.extent);
    if (times == 0)
        fail("the buffer never ran full");
    if (vmalloc(vm, BUFFER))
        fail("more than the buffer was given");
    printf("  a request larger than the whole buffer still gets NULL\n");
    if (vmclose(vm) != 0)
        fail("the region did not close");
    printf("  the region is closed, and the array is the program's again\n");
    return 0;
}
