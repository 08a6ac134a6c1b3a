/* SPDX-License-Identifier: MIT */
/* Functions behind macros, writable disciplines, and what each discipline of the library promises. */
#include "contract.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* vmalloc() and its like are functions too: their addresses serve as callbacks. */
static void functions(ct_t *t)
{
    void *(*alloc)(Vmalloc_t *, size_t) = &vmalloc;
    void *(*align)(Vmalloc_t *, size_t, size_t) = &vmalign;
    void *(*resize)(Vmalloc_t *, void *, size_t, int) = &vmresize;
    int (*release)(Vmalloc_t *, void *) = &vmfree;
    long (*addr)(Vmalloc_t *, void *) = &vmaddr, (*size)(Vmalloc_t *, void *) = &vmsize;
    int (*compact)(Vmalloc_t *) = &vmcompact;
    char *p;
    ct_open(t);
    p = (char *)alloc(t->vm, t->psize);
    CHECK(p != NULL && addr(t->vm, p + 1) == 1 && size(t->vm, p) == vmsize(t->vm, p));
    CHECK(resize(t->vm, p, t->psize, VM_RSCOPY) == p);
    CHECK(release(t->vm, p) == 0);
    p = (char *)align(t->vm, 10, 32);
    CHECK(t->which == POOL ? p == NULL : p != NULL && (uintptr_t)p % 32 == 0);
    CHECK(compact(t->vm) == 0);
    CHECK((vmalloc)(t->vm, t->psize) != NULL);
    CHECK(vmdata(t->vm) == t->vm->data && vmlocked(t->vm) == 0);
    ct_close(t);
}

static void macros_evaluate_once(ct_t *t)
{
    size_t n = t->psize;
    char *p[2], **q = p;
    ct_open(t);
    *q++ = (char *)vmalloc(t->vm, n++);
    CHECK(n == t->psize + 1 && q == p + 1);
    CHECK(vmfree(t->vm, *--q) == 0 && q == p);
    ct_close(t);
}

/* Vmdcheap->round = n as old programs write it. */
static void writable(ct_t *t)
{
    size_t old = Vmdcheap->round;
    Vmdcheap->round = 127;
    t->disc = Vmdcheap;
    ct_open(t);
    ct_one(t, 1000, 1);
    CHECK(ct_stat(t->vm).extent % (127 * 16) == 0);
    ct_close(t);
    Vmdcheap->round = old;
    CHECK(Vmdcsbrk == Vmdcsystem);
}

static int warned;
static void warn(Vmdisc_t *disc, size_t total, void *arg)
{
    CHECK(disc != NULL && total > 256 * KIB && arg == &warned);
    warned++;
}

static void limits(ct_t *t)
{
    Vmdisc_t *d = vmdclimit(Vmdcsystem, 256 * KIB, 512 * KIB, warn, &warned);
    Vmalloc_t *a = vmopen(d, t->meth, t->flags), *b = vmopen(d, t->meth, t->flags);
    size_t n = 0, turn;
    CHECK(d != NULL && a != NULL && b != NULL);
    for (turn = 0; turn < 2; turn++) {
        warned = 0;
        CHECK(vmdclimited(d) == ct_stat(a).extent + ct_stat(b).extent);
        for (n = 0; vmalloc(n % 2 ? a : b, 1000) != NULL; n++)
            continue;
        while (vmalloc(a, 1000) || vmalloc(b, 1000))
            n++;
        CHECK(errno == ENOMEM && warned == 1);
        CHECK(vmdclimited(d) <= 512 * KIB && vmdclimited(d) > 256 * KIB && n > 200);
        CHECK(vmdclimited(d) == ct_stat(a).extent + ct_stat(b).extent);
        CHECK(vmclose(a) == 0);
        CHECK(vmclose(b) == 0);
        CHECK(vmdclimited(d) == 0);
        a = vmopen(d, t->meth, t->flags);
        b = vmopen(d, t->meth, t->flags);
    }
    CHECK(vmclose(a) == 0 && vmclose(b) == 0);
    CHECK(vmdcfree(d) == 0);
}

static void fixed_is_one_segment(ct_t *t)
{
    static char buffer[100000];
    Vmdisc_t *d = vmdcfixed(buffer + 1, sizeof buffer - 2);
    CHECK(d != NULL);
    buffer[0] = buffer[sizeof buffer - 1] = 77;
    t->disc = d;
    ct_open(t);
    CHECK(ct_stat(t->vm).n_seg == 1 && ct_stat(t->vm).extent <= sizeof buffer - 2);
    while (vmalloc(t->vm, ct_size(t, 30)) != NULL)
        continue;
    CHECK(ct_stat(t->vm).n_seg == 1);
    CHECK(buffer[0] == 77 && buffer[sizeof buffer - 1] == 77);
    CHECK(vmopen(d, t->meth, t->flags) == NULL); /* for one region at a time */
    ct_close(t);
    ct_open(t); /* and again */
    ct_one(t, 30, 1);
    ct_close(t);
    CHECK(vmdcfree(d) == 0);
    FAILS(vmdcfixed(buffer, 100), NULL, EINVAL);
    FAILS(vmdcfixed(NULL, 100000), NULL, EINVAL);
}

static void logs(ct_t *t)
{
    char path[] = "/tmp/vmcontract.XXXXXX", text[4096];
    int fd = mkstemp(path);
    ssize_t n;
    Vmdisc_t *d = vmdclog(Vmdcheap, fd);
    CHECK(fd >= 0 && d != NULL);
    unlink(path);
    t->disc = d;
    ct_open(t);
    ct_one(t, 100, 1);
    ct_close(t);
    n = pread(fd, text, sizeof text - 1, 0);
    CHECK(n > 0 && text[n - 1] == '\n');
    CHECK(vmdcfree(d) == 0);
    close(fd);
}

static void frees_only_its_own(ct_t *t)
{
    Vmdisc_t own = {NULL, NULL, 0, 0};
    (void)t;
    FAILS(vmdcfree(NULL), -1, EINVAL);
    FAILS(vmdcfree(Vmdcheap), -1, EINVAL);
    FAILS(vmdcfree(Vmdcsystem), -1, EINVAL);
    FAILS(vmdcfree(&own), -1, EINVAL);
}

/* vmdbcheck() is silent about a sound region; vmdebug() gives the descriptor before. */
static void silent_when_sound(ct_t *t)
{
    int fds[2], old;
    char text[100];
    CHECK(pipe(fds) == 0);
    old = vmdebug(fds[1]);
    CHECK(vmdebug(fds[1]) == fds[1]); /* the one before */
    ct_open(t);
    ct_one(t, 40, 1);
    CHECK(vmdbcheck(t->vm) == 0);
    CHECK(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(fds[0], text, sizeof text) == -1); /* nothing to tell */
    ct_close(t);
    CHECK(vmdebug(old) == fds[1]);
    close(fds[0]);
    close(fds[1]);
}

static void watches(ct_t *t)
{
    char a[40];
    size_t i;
    (void)t;
    CHECK(vmdbwatch(NULL) == NULL);
    for (i = 0; i < 32; i++)
        CHECK(vmdbwatch(a + i) == NULL);
    CHECK(vmdbwatch(a + 3) == NULL); /* is there */
    CHECK(vmdbwatch(a + 32) == a);
    CHECK(vmdbwatch(a + 33) == a + 1);
    CHECK(vmdbwatch(NULL) == NULL);
    CHECK(vmdbwatch(a) == NULL);
    CHECK(vmdbwatch(NULL) == NULL);
}

const ct_case_t extra_cases[] = {
    {"functions", functions, ALL, 0, 0},
    {"macros_evaluate_once", macros_evaluate_once, ALL, 0, 0},
    {"writable", writable, ALL, 0, 1},
    {"limits", limits, ALL, 0, 1},
    {"fixed_is_one_segment", fixed_is_one_segment, ALL, 0, 1},
    {"logs", logs, ALL, 0, 1},
    {"frees_only_its_own", frees_only_its_own, BEST, 0, 1},
    {"silent_when_sound", silent_when_sound, ALL, 0, 0},
    {"watches", watches, BEST, 0, 1},
    {NULL, NULL, 0, 0, 0},
};
