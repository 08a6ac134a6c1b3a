/* SPDX-License-Identifier: MIT */
/*
 * What a region did, written down: a trace in lines on a descriptor or in a file for `vmalloc
 * replay`, a profile for `vmalloc report`, the sums of Vmdebug; and a function for a debugger to
 * stop at.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/debug.h>
#include <vmalloc/method.h>
#include <vmalloc/profile.h>
#include <vmalloc/trace.h>

/* What a function wrote into a pipe: its lines, and whether the text is in them. */
static void tell(const char *what, int fd, const char *text)
{
    static char all[8192];
    ssize_t n = read(fd, all, sizeof all - 1);
    int lines = 0;

    all[n > 0 ? n : 0] = '\0';
    for (const char *p = all; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    printf("%s: %s, %s\"%s\"\n", what, lines > 0 ? "lines" : "nothing",
           strstr(all, text) != NULL ? "with " : "without ", text);
    fflush(stdout); /* Vmdebug works in a copy of the process too: nothing is to be said twice */
}

static void trace(int from, int to)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, VM_TRACE);
    char path[40];

    vmtrace(to);
    vmfree(vm, vmalloc(vm, 100));
    vmtrace(-1);
    tell("trace", from, "0:100:");
    vmtrace(to);
    if (vmalloc(vm, 200) != NULL)
        vmtrbusy(vm); /* a line for each block that is there now */
    vmtrace(-1);
    tell("blocks there", from, ":u:");
    snprintf(path, sizeof path, "recording-%d.trace", (int)getpid());
    vmtracefile(path, VM_TRBINARY); /* then: vmalloc replay FILE */
    vmclear(vm);
    vmtracefile(NULL, 0);
    printf("a file: %s\n", remove(path) == 0 ? "yes" : "no");
    fflush(stdout);
    vmclose(vm);
}

static void profile(int from, int to)
{
    Vmalloc_t *vm;
    char path[40];

    vmprofileset(VM_PFDEPTH, 8); /* before the first such region */
    snprintf(path, sizeof path, "recording-%d.vmprof", (int)getpid());
    vmprofilefile(path); /* kept up to date, however the process ends */
    vm = vmopen(Vmdcheap, vmover(Vmprofile, Vmlast), 0);
    if (vm != NULL && vmalloc(vm, 100) != NULL) {
        vmprofile(vm, to);
        tell("profile", from, "100");
        /* what "vmalloc report" reads: */
        printf("a copy: %s\n", vmprofilewrite(to) == 0 ? "yes" : "no");
    }
    vmclose(vm);
    remove(path);
}

static void sums(int from, int to)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmdebug, 0);
    int old = vmdebug(to);
    char *watched = vmalloc(vm, 10);

    vmdbwatch(watched); /* each call that concerns it is told from here on */
    vmfree(vm, watched);
    tell("watched", from, "watch");
    vmdbstat(vm);
    tell("sums", from, "n_busy=");
    vmdebug(old);
    vmdbwatch(NULL);
    vmdbwarn(); /* what each report calls: in gdb, "break vmdbwarn" */
    vmclose(vm);
}

int main(void)
{
    int p[3][2];

    if (pipe(p[0]) != 0 || pipe(p[1]) != 0 || pipe(p[2]) != 0)
        return 1;
    trace(p[0][0], p[0][1]);
    sums(p[1][0], p[1][1]);
    profile(p[2][0], p[2][1]);
    return 0;
}
