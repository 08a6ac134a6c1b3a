/* SPDX-License-Identifier: MIT */
/* Methods and disciplines by name. */
#include "model.h"

static const char *const method_names[] = {"best", "last", "pool", NULL};
static const char *const sizes_names[] = {"tiny", "mixed", "page", "large", NULL};
static const char *const discipline_names[] = {"system",   "heap",      "fixed", "refusing",
                                               "in-place", "new-segment", "limit", NULL};

const char *method_name(size_t i)
{
    return method_names[i];
}

const char *sizes_name(size_t i)
{
    return sizes_names[i];
}

const char *discipline_name(size_t i)
{
    return discipline_names[i];
}

Vmethod_t *method_of(const char *name)
{
    return strcmp(name, "best") == 0   ? Vmbest
           : strcmp(name, "last") == 0 ? Vmlast
           : strcmp(name, "pool") == 0 ? Vmpool
                                       : NULL;
}

#define BUFFER ((size_t)300000)

int source_open(source_t *s, const char *discipline)
{
    memset(s, 0, sizeof *s);
    if (strcmp(discipline, "system") == 0)
        s->disc = Vmdcsystem;
    else if (strcmp(discipline, "heap") == 0)
        s->disc = Vmdcheap;
    else if (strcmp(discipline, "fixed") == 0) {
        s->buffer = (char *)malloc(BUFFER);
        s->disc = vmdcfixed(s->buffer + 3, BUFFER - 3);
        s->bounded = 1;
    } else if (strcmp(discipline, "limit") == 0) {
        s->disc = vmdclimit(Vmdcsystem, 0, (size_t)3 << 20, NULL, NULL);
        s->bounded = 1;
    } else if (strcmp(discipline, "refusing") == 0)
        s->chk = chk_new(127, CHK_MALLOC, CHK_REFUSE);
    else if (strcmp(discipline, "in-place") == 0)
        s->chk = chk_new(4096, CHK_RESERVE, CHK_INPLACE);
    else if (strcmp(discipline, "new-segment") == 0)
        s->chk = chk_new(64, CHK_MALLOC, CHK_NEWSEG);
    if (s->chk) {
        s->chk->odd = s->chk->disc.round == 127 ? 5 : 0;
        s->disc = &s->chk->disc;
    }
    return s->disc ? 0 : -1;
}

const char *source_close(source_t *s)
{
    static char wrong[200];
    if (s->chk) {
        const char *w = chk_done(s->chk);
        snprintf(wrong, sizeof wrong, "%s", w ? w : "");
        free(s->chk);
        return w ? wrong : NULL;
    }
    if (s->bounded && vmdcfree(s->disc) != 0)
        return "vmdcfree() failed";
    free(s->buffer);
    return NULL;
}
