/* SPDX-License-Identifier: MIT */
#include "support/counting.h"
#include "support/protocol.h"
#include "discipline_tables.h"
#include "os.h"
#include <errno.h>
#include <fcntl.h>
#include <vmalloc/discipline.h>

/* log over fail over limit over the one given. */
typedef struct stack {
    Vmdisc_t *limit, *fail, *log;
    Vmdiscmore_t *top;
    int fd;
} stack_t_;

static stack_t_ stack(Vmdisc_t *under)
{
    stack_t_ s;

    s.fd = open("/dev/null", O_WRONLY);
    s.limit = vmdclimit(under, 0, SIZE_MAX, NULL, NULL);
    s.fail = vmdcfail(s.limit, 0, 0, 0, 0);
    s.log = vmdclog(s.fail, s.fd);
    s.top = (Vmdiscmore_t *)s.log;
    assert_non_null(s.log);
    return s;
}

static void unstack(stack_t_ *s)
{
    assert_int_equal(vmdcfree(s->log), 0);
    assert_int_equal(vmdcfree(s->fail), 0);
    assert_int_equal(vmdcfree(s->limit), 0);
    close(s->fd);
}

/* counting_t aborts when it is not handed itself. */
static void plain_one_is_handed_itself(void **state)
{
    counting_t under;
    stack_t_ s = stack(&counting_init(&under)->disc);

    (void)state;
    protocol_life(s.log, 4096, 0);
    assert_true(under.gets == 1 && under.grows == 1 && under.shrinks == 1 && under.releases == 1);
    under.answer = 5;
    assert_int_equal(tell(s.log, VM_CLOSE, (void *)1), 5);
    assert_int_equal(under.type, VM_CLOSE);
    assert_ptr_equal(under.obj, (void *)1);
    assert_ptr_equal(under.vm, &protocol_vm);
    under.disc.exceptf = NULL;
    assert_int_equal(tell(s.log, VM_CLOSE, NULL), 0);
    assert_int_equal(under.events, 1);
    assert_int_equal(s.log->round, 4096);
    assert_int_equal(s.top->flags, 0);
    assert_null(s.top->purgef);
    assert_null(s.top->name);
    assert_ptr_equal(s.top->under, s.fail);
    unstack(&s);
}

static void knows_the_standard_ones_by_memoryf(void **state)
{
    Vmdisc_t copy = {vmdc_system.memoryf, NULL, 127, 0};
    size_t page = vmos_pagesize();
    stack_t_ s = stack(&copy);
    char *seg = ask(s.log, NULL, 0, page);

    (void)state;
    assert_int_equal(s.log->round, 127);
    assert_int_equal(s.top->flags, VM_DCZERO | VM_DCRESERVE);
    memset(seg, 'a', page);
    assert_int_equal(s.top->purgef(&protocol_vm, seg, page, s.log), 1);
    assert_true(all(seg, 0, page));
    assert_ptr_equal(ask(s.log, seg, page, 0), seg);
    unstack(&s);
}

static int purged_by(Vmalloc_t *vm, void *addr, size_t size, Vmdisc_t *disc)
{
    (void)vm, (void)addr, (void)size;
    return (int)((Vmdiscmore_t *)disc)->align;
}

static void hands_up_what_is_told(void **state)
{
    Vmdiscmore_t own = {{counting_memory, NULL, 48, sizeof own},
                        VM_DCMORE,
                        VM_DCDEVICE,
                        256,
                        purged_by,
                        "own",
                        NULL,
                        NULL};
    stack_t_ s = stack(&own.disc);

    (void)state;
    assert_int_equal(s.log->round, 48);
    assert_int_equal(s.top->flags, VM_DCDEVICE);
    assert_int_equal(s.top->align, 256);
    assert_string_equal(s.top->name, "own");
    assert_int_equal(s.top->purgef(&protocol_vm, NULL, 0, s.log), 256);
    own.purgef = NULL; /* fields are read at every use */
    assert_int_equal(s.top->purgef(&protocol_vm, NULL, 0, s.log), -1);
    unstack(&s);
}

/* An old program's discipline ends before `size`, which may be anything. */
static void unlikely_sizes_tell_nothing(void **state)
{
    Vmdiscmore_t own = {{counting_memory, NULL, 48, 65537}, VM_DCMORE, VM_DCDEVICE, 256, NULL, "own",
                        NULL,
                        NULL};
    stack_t_ s;
    (void)state;
    s = stack(&own.disc);
    assert_int_equal(s.top->flags, 0);
    assert_null(s.top->name);
    s.fail->size = 65537;
    errno = 0;
    assert_int_equal(vmdcfree(s.fail), -1);
    assert_int_equal(errno, EINVAL);
    s.fail->size = 65536;
    unstack(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_one_is_handed_itself),
        cmocka_unit_test(knows_the_standard_ones_by_memoryf),
        cmocka_unit_test(hands_up_what_is_told),
        cmocka_unit_test(unlikely_sizes_tell_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
