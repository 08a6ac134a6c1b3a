/* SPDX-License-Identifier: MIT */
/* Each name of <ast_common.h>, used as old sources use it, in their two ways to write prototypes. */
#include "terror.h"

#if !_hdr_stdlib || !_hdr_stddef || !_hdr_stdarg || !_hdr_unistd || !_hdr_string
#error "facts about headers that old sources test"
#endif
#if !_typ_size_t || !_typ_ssize_t || !__STD_C || VM_SETFLAGS == 0
#error "facts about types that old sources test"
#endif

_BEGIN_EXTERNS_
extern int newer _ARG_((int));
extern int older __PROTO__((int));
__EXTERN__(int, counter);
_END_EXTERNS_

__DEFINE__(int, counter, 3);

__INLINE__ int twice(int n) { return 2 * n; }
int newer(int n) { return twice(n) + counter; }
int older(int n) { return newer(n); }

static int inner(int n, va_listarg args)
{
    int sum = 0;
    for (; n > 0; --n)
        sum += va_arg(va_listref(args), int);
    return sum;
}

static int outer(int n, ...)
{
    __VA_LIST__ args;
    int sum;
    va_start(args, n);
    sum = inner(n, va_listval(args));
    va_end(args);
    return sum;
}

/* The tags of both generations, for one and the same structures. */
static int tags(struct Vmalloc_s *vm, struct Vmdisc_s *disc, struct Vmethod_s *meth)
{
    struct Vmstat_s st;
    Vmseg_f f = 0;
    struct Vmdata_s *data = vm->data;
    return vmstat(vm, &st) == 0 && data != 0 && disc->memoryf != 0 && meth->allocf != 0 && f == 0;
}

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0);
    tcheck(sizeof(_ast_int1_t) == 1 && sizeof(_ast_int2_t) == 2 && sizeof(_ast_int4_t) == 4);
    tcheck(sizeof(_ast_int8_t) == 8 && sizeof(_ast_intmax_t) == 8);
    tcheck(sizeof(_ast_flt4_t) == 4 && sizeof(_ast_flt8_t) == 8 && sizeof(_ast_fltmax_t) >= 8);
    tcheck(NIL(char *) == 0 && _NIL_(char *) == 0);
    tcheck(newer(2) == 7 && older(2) == 7 && outer(3, 1, 2, 3) == 6);
    tcheck(setregmax(5) == 5);
    tcheck(vm != 0 && tags(vm, Vmdcheap, Vmbest));
    return vmclose(vm);
}
