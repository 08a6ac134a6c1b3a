/* SPDX-License-Identifier: MIT */
/* A preprocessor redefines newof, free and strdup over Vmregion. */
#include "terror.h"

#undef free
#undef strdup
#define newof(p, t, n, x) vmnewof(Vmregion, p, t, n, x)
#define oldof(p, t, n, x) vmoldof(Vmregion, p, t, n, x)
#define free(p) vmfree(Vmregion, p)
#define strdup(s) vmstrdup(Vmregion, s)

struct symbol {
    struct symbol *next;
    char *name;
    long value[3];
};

int main(void)
{
    struct symbol *head = 0, *s;
    char name[20];
    int i;
    for (i = 0; i < 1000; ++i) {
        tcheck((s = newof(0, struct symbol, 1, 0)) != 0);
        tcheck(s->next == 0 && s->name == 0 && s->value[2] == 0);
        sprintf(name, "symbol%d", i);
        tcheck((s->name = strdup(name)) != 0 && strcmp(s->name, name) == 0);
        s->value[0] = s->value[2] = -1;
        s->next = head;
        head = s;
        if (i % 3 == 0) {
            head = s->next;
            free(s->name);
            free(s);
        }
    }
    for (; head; head = s) {
        s = head->next;
        free(head->name);
        head->name = oldof(0, char, 10, 0);
        free(head->name);
        free(head);
    }
    tcheck(vmdbcheck(Vmregion) == 0);
    return 0;
}
