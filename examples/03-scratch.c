/* SPDX-License-Identifier: MIT */
/* Scratch memory: Vmlast cuts blocks one behind another, and a mark says how far to go back.  One
 * region serves all requests; what a request allocates is gone when it is answered. */
#include <stdio.h>
#include <string.h>
#include <vmalloc.h>

/* The words of a line, last first.  Nobody frees any of it. */
static const char *backwards(Vmalloc_t *scratch, const char *line)
{
    char *copy = vmstrdup(scratch, line), *result, *word;

    if (copy == NULL || (result = vmnewof(scratch, NULL, char, strlen(line) + 2, 0)) == NULL)
        return NULL;
    while ((word = strrchr(copy, ' ')) != NULL) {
        strcat(strcat(result, word + 1), " ");
        *word = '\0';
    }
    return strcat(result, copy);
}

/* The last block grows where it is, as long as its segment does. */
static size_t numbers(Vmalloc_t *scratch, int n)
{
    int *list = NULL;

    for (int i = 0; i < n; i++) {
        list = vmnewof(scratch, list, int, i + 1, 0);
        if (list == NULL)
            return 0;
        list[i] = i;
    }
    return (size_t)list[n - 1] + 1;
}

int main(void)
{
    static const char *const lines[] = {"to be or not to be", "the rest is silence"};
    Vmalloc_t *scratch = vmopen(Vmdcsystem, Vmlast, VM_SINGLE);
    void *start = vmmark(scratch);
    Vmstat_t st;

    for (int i = 0; i < 2; i++) {
        printf("%s\n", backwards(scratch, lines[i]));
        vmrelease(scratch, start); /* costs the same for two blocks or two million */
    }
    printf("%zu numbers\n", numbers(scratch, 10000));
    vmrelease(scratch, start);
    vmstat(scratch, &st);
    printf("blocks left: %zu, the mark\n", st.n_busy);
    return vmclose(scratch);
}
