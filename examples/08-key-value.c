/* SPDX-License-Identifier: MIT */
/* A small key-value store in a committed image, for the shell:
 *   08-key-value FILE put KEY VALUE | get KEY | list | count      or: fill, for something to kill -9 */
#include <stdio.h>
#include <string.h>
#include <vmalloc/image.h>

typedef struct pair {
    struct pair *next;
    char *key, *value;
} pair_t;

static pair_t **find(pair_t **at, const char *key) /* where it is, or would be: the list is sorted */
{
    while (*at != NULL && strcmp((*at)->key, key) < 0)
        at = &(*at)->next;
    return at;
}

static int put(Vmalloc_t *vm, pair_t **list, const char *key, const char *value)
{
    pair_t **at = find(list, key), *new = *at;

    if (new == NULL || strcmp(new->key, key) != 0) {
        new = vmalloc(vm, sizeof *new);
        *new = (pair_t){*at, vmstrdup(vm, key), NULL};
        *at = new;
    }
    vmfree(vm, new->value);
    new->value = vmstrdup(vm, value);
    return vmcommit(vm); /* from here on the pair is safe, whatever happens */
}

int main(int argc, char **argv)
{
    const char *file = "08-key-value.image", *what = argc > 2 ? argv[2] : "list";
    Vmimgopt_t opt = {.flags = VM_IMGWAIT};
    Vmalloc_t *vm = vmimage(argc > 1 ? argv[1] : file, &opt);
    pair_t **list = vm != NULL ? vmrootget(vm, "pairs", NULL) : NULL, *p;
    int r = 0, n = 0;

    if (vm == NULL)
        return puts(opt.why), 1;
    if (list == NULL && (list = vmresize(vm, NULL, sizeof *list, VM_RSZERO)) != NULL)
        vmrootset(vm, "pairs", list, 0, 1);
    if (argc == 1)
        r = put(vm, list, "one", "1") || put(vm, list, "two", "2") || put(vm, list, "one", "uno");
    else if (argc == 5 && strcmp(what, "put") == 0)
        r = put(vm, list, argv[3], argv[4]);
    else if (argc == 4 && strcmp(what, "get") == 0)
        r = (p = *find(list, argv[3])) == NULL || strcmp(p->key, argv[3]) != 0 || puts(p->value) < 0;
    for (char key[16]; strcmp(what, "fill") == 0 && r == 0 && n < 1000000; n++) {
        snprintf(key, sizeof key, "k%07d", n);
        r = put(vm, list, key, key) || puts(key) < 0 || fflush(stdout); /* tells what is safe */
    }
    for (p = *list, n = 0; p != NULL; p = p->next, n++)
        if (strcmp(what, "list") == 0)
            printf("%s=%s\n", p->key, p->value);
    if (strcmp(what, "count") == 0)
        printf("%d\n", n);
    return vmclose(vm) != 0 || (argc == 1 && remove(file) != 0) || r;
}
