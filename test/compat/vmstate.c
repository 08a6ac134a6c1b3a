/* SPDX-License-Identifier: MIT */
/* A shell's builtin that lists all regions with their methods and statistics. */
#include "terror.h"

typedef struct State_s {
    Vmalloc_t *last;
    int regions, segments;
    size_t size;
} State_t;

static int visit(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *dp, Void_t *handle)
{
    State_t *state = (State_t *)handle;
    (void)addr;
    (void)dp;
    if (state->last != vm) {
        state->last = vm;
        state->regions++;
    }
    state->segments++;
    state->size += size;
    return 0;
}

static const char *method(Vmalloc_t *vm)
{
    switch (vmset(vm, 0, 0) & VM_METHODS) {
    case VM_MTBEST:
        return "best";
    case VM_MTPOOL:
        return "pool";
    case VM_MTLAST:
        return "last";
    case VM_MTDEBUG:
        return "debug";
    case VM_MTPROFILE:
        return "profile";
    }
    return 0;
}

int main(void)
{
    Vmalloc_t *vm[3], *p;
    State_t state;
    Vmstat_t st;
    int n = 0, mode;
    tcheck((vm[0] = vmopen(Vmdcheap, Vmbest, 0)) && (vm[1] = vmopen(Vmdcheap, Vmlast, 0)) &&
           (vm[2] = vmopen(Vmdcsbrk, Vmpool, 0)));
    memset(&state, 0, sizeof state);
    tcheck(vmwalk(0, visit, &state) == 0);
    tcheck(state.regions == 4 && state.segments >= 4 && state.size > 0);
    for (p = Vmheap; p; p = p->next) {
        n++;
        tcheck(method(p) != 0);
        tcheck(vmstat(p, &st) == 0);
        mode = st.mode;
        tcheck((mode & VM_METHODS) == (vmset(p, 0, 0) & VM_METHODS));
    }
    tcheck(n == 4);
    tcheck(strcmp(method(vm[1]), "last") == 0 && strcmp(method(vm[2]), "pool") == 0);
    tcheck(vmclose(vm[1]) == 0 && vmclose(vm[0]) == 0 && vmclose(vm[2]) == 0);
    return 0;
}
