/* SPDX-License-Identifier: MIT */
/* What follows from descriptors is made anew: by order, after fork, at attachment, for broken locks. */
#include "_best.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc/discipline.h>

/* Everything but free memory counted in caches is as before. */
static void same(const Vmstat_t *a, const Vmstat_t *b)
{
    assert_int_equal(a->n_busy, b->n_busy);
    assert_int_equal(a->s_busy, b->s_busy);
    assert_int_equal(a->s_free, b->s_free);
    assert_int_equal(a->m_busy, b->m_busy);
    assert_int_equal(a->m_free, b->m_free);
    assert_int_equal(a->n_free, b->n_free);
    assert_int_equal(a->n_cache, b->n_cache);
    assert_int_equal(a->extent, b->extent);
}

static void by_order(void **state)
{
    size_t k, i;
    (void)state;
    for (k = 0; k < 4; k++) {
        chk_t *c = chk_new(0, CHK_MALLOC, CHK_REFUSE);
        Vmalloc_t *vm = k % 2 ? vmopen(&c->disc, Vmbest, 0) : vmopen(Vmdcsystem, Vmbest, k == 2 ? VM_SINGLE : 0);
        model_t *m = model_new(vm, 2500, k + 100);
        for (i = 0; i < 6000; i++) {
            model_step(m, k < 2 ? 3000 : 60000);
            if (i % 700 == 0) {
                Vmstat_t before = statof(vm), after;
                vmmtlock(vm);
                vmbe_rebuild(engine(vm), 1);
                vmmtunlock(vm);
                after = statof(vm);
                same(&before, &after);
                model_agree(m);
                model_contents(m);
            }
        }
        while (m->n > 0)
            model_drop(m, 0);
        model_agree(m);
        vmcompact(vm);
        model_agree(m);
        vmclose(vm);
        model_free(m);
        chk_drop(c);
    }
}

/* ---- fork ---- */

#define SLOTS 256
static struct {
    Vmalloc_t *vm, *single;
    char *slot[SLOTS];
    int stop;
} busy;

static void busily(size_t me, void *arg)
{
    uint64_t seed = me + 7;
    (void)arg;
    while (!__atomic_load_n(&busy.stop, __ATOMIC_RELAXED)) {
        size_t size = 16 + rnd_below(&seed, rnd_below(&seed, 40) ? 500 : 90000);
        char *p = vmalloc(busy.vm, size), *q;
        memset(p, (int)size, 16);
        *(size_t *)(void *)p = size;
        q = __atomic_exchange_n(&busy.slot[rnd_below(&seed, SLOTS)], p, __ATOMIC_ACQ_REL);
        if (q && vmfree(busy.vm, q) != 0)
            abort();
    }
}

/* In the child: 0 when all is well.  What other threads had under their hands may be lost. */
static int child(void)
{
    size_t i;
    Vmstat_t st;
    int round;
    char *p[1000];
    if (vmdbcheck(busy.vm) != 0)
        return 1;
    for (i = 0; i < SLOTS; i++) {
        char *q = busy.slot[i];
        if (q && vmsize(busy.vm, q) < (long)*(size_t *)(void *)q)
            return 2;
    }
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 1000; i++)
            if ((p[i] = vmalloc(busy.vm, 16 + i * 7 % 3000)) == NULL)
                return 3;
            else
                memset(p[i], 0x44, 16);
        for (i = 0; i < 1000; i++)
            if (vmfree(busy.vm, p[i]) != 0)
                return 4;
    }
    for (i = 0; i < SLOTS; i++)
        if (busy.slot[i] && vmfree(busy.vm, busy.slot[i]) != 0)
            return 5;
    if (vmcompact(busy.vm) != 0 || vmdbcheck(busy.vm) != 0 || vmstat(busy.vm, &st) != 0)
        return 6;
    if (st.n_busy > 64) /* three threads had a few blocks each */
        return 7;
    return vmclose(busy.vm) != 0 ? 8 : 0;
}

static void in_fork(void **state)
{
    team_t team;
    int i;
    (void)state;
#if defined(__SANITIZE_THREAD__) || defined(_WIN32)
    skip(); /* no threads in the child of a program with threads, or no child */
#endif
    busy.vm = vmopen(Vmdcsystem, Vmbest, 0);
    vmfree(busy.vm, vmalloc(busy.vm, 1));
    team_start(&team, 3, busily, NULL);
    for (i = 0; i < 30; i++) {
        int status;
        pid_t pid;
        usleep(2000);
        pid = fork();
        if (pid == 0)
            _exit(child());
        waitpid(pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("child %d: %#x", i, status);
    }
    __atomic_store_n(&busy.stop, 1, __ATOMIC_RELAXED);
    team_join(&team);
    sound(busy.vm);
    vmclose(busy.vm);
}

/* ---- attachment ---- */

static struct {
    int closing, opening;
    void *data;
} plan;

static int handler(Vmalloc_t *vm, int type, void *obj, Vmdisc_t *disc)
{
    (void)vm, (void)disc;
    if (type == VM_CLOSE)
        return plan.closing;
    if (type == VM_OPEN && plan.opening) {
        *(void **)obj = plan.data;
        return 1;
    }
    return 0;
}

static void attached(void **state)
{
    static const int flags[] = {0, VM_SINGLE, VM_MEMORYF, 0};
    size_t k, i, round;
    (void)state;
    for (k = 0; k < 4; k++) {
        static char buffer[3000000];
        Vmdisc_t *d, sys = plaindisc(0);
        Vmalloc_t *vm;
        model_t *m;
        d = k == 3 ? vmdcfixed(buffer + 24, sizeof buffer - 24) : &sys;
        d->exceptf = handler;
        memset(&plan, 0, sizeof plan);
        vm = vmopen(d, Vmbest, flags[k]);
        m = model_new(vm, 2000, k + 50);
        for (round = 0; round < 5; round++) {
            Vmstat_t before, after;
            for (i = 0; i < 1500; i++)
                model_step(m, k == 3 ? 2000 : 50000);
            model_agree(m);
            before = statof(vm);
            plan.data = vm->data;
            plan.closing = 1;
            assert_int_equal(vmclose(vm), 0);
            for (i = 0; i < m->n; i++)
                assert_null(vmb_map_get(m->b[i].p));
            plan.opening = 1;
            vm = m->vm = vmopen(d, Vmbest, round % 2 ? flags[k] : VM_SINGLE);
            assert_non_null(vm);
            plan.opening = plan.closing = 0;
            after = statof(vm);
            same(&before, &after);
            model_agree(m);
            model_contents(m);
        }
        while (m->n > 0)
            model_drop(m, 0);
        model_agree(m);
        vmclose(vm);
        model_free(m);
    }
}

/* ---- broken locks ---- */

static jmp_buf out;
static size_t jumpat;


static void *jumping(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *d)
{
    chk_t *c = (chk_t *)d;
    if (jumpat && --jumpat == 0)
        longjmp(out, 1);
    return chk_memory(vm, addr, csize, nsize, &c->disc);
}

static void torn(void **state)
{
    volatile size_t at;
    (void)state;
    for (at = 1; at < 12; at++) {
        chk_t *c = chk_new(4096, CHK_RESERVE, CHK_INPLACE);
        Vmalloc_t *volatile vm;
        model_t *volatile m;
        volatile size_t i;

        vm = vmopen(&c->disc, Vmbest, 0);
        m = model_new(vm, 1000, at);
        c->disc.memoryf = jumping;
        jumpat = at;
        for (i = 0; i < 1000; i++) {
            if (setjmp(out) == 0) {
                if (i % 50 == 49)
                    vmcompact(vm);
                else
                    model_step(m, 60000);
            } else {
                assert_int_equal(vmstat(vm, NULL), 1);
                vmclrlock(0);
                assert_int_equal(vmstat(vm, NULL), 0);
                assert_int_equal(vmdbcheck(vm), 0);
                jumpat = 0;
            }
        }
        assert_int_equal(jumpat, 0);
        model_contents(m);
        sound(vm);
        vmclose(vm);
        model_free(m);
        chk_drop(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_order),
        cmocka_unit_test(in_fork),
        cmocka_unit_test(attached),
        cmocka_unit_test(torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
