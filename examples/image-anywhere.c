/* SPDX-License-Identifier: MIT */
/*
 * An image without a fixed address: a hash table whose pointers are distances (vmoff_t), filled where
 * the image was made, and read and filled further at other addresses.  Each line printed is a promise.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc/image.h>
#include <vmalloc/share.h>

enum { CHAINS = 64, LIMIT = 64 << 20 };

typedef struct entry {
    vmoff_t next;
    int count;
    char word[20];
} entry_t;

typedef struct table {
    vmoff_t chain[CHAINS];
} table_t;

static table_t *table(Vmalloc_t *vm) /* the root leads to where it is now */
{
    table_t *t = vmrootget(vm, "words", NULL);

    if (t == NULL && (t = vmnewof(vm, NULL, table_t, 1, 0)) != NULL)
        vmrootset(vm, "words", t, 0, 1);
    return t;
}

static entry_t *find(Vmalloc_t *vm, const char *word)
{
    vmoff_t *chain = &table(vm)->chain[(word[0] * 31 + word[1]) % CHAINS];
    entry_t *e = VMOFF_GET(entry_t, *chain);

    while (e != NULL && strcmp(e->word, word) != 0)
        e = VMOFF_GET(entry_t, e->next);
    if (e == NULL && (e = vmnewof(vm, NULL, entry_t, 1, 0)) != NULL) {
        snprintf(e->word, sizeof e->word, "%s", word);
        VMOFF_SET(e->next, VMOFF_GET(entry_t, *chain)); /* not a copy of the number */
        VMOFF_SET(*chain, e);
    }
    return e;
}

/* Where the image lay: at the same addresses as addr, if that is not NULL. */
static void *count(const char *path, void *addr)
{
    Vmimgopt_t opt = {.flags = VM_IMGANYWHERE, .limit = LIMIT, .addr = addr};
    Vmalloc_t *vm = vmimage(path, &opt);
    Vmimgstat_t st;

    if (vm == NULL || vmimgstat(vm, &st) != 0) {
        printf("%s\n", opt.why);
        return NULL;
    }
    find(vm, "apple")->count++;
    find(vm, "plum")->count += 2;
    vmcommit(vm); /* from here on it lies where it lies now */
    printf("apple %d, plum %d, faults %d\n", find(vm, "apple")->count, find(vm, "plum")->count,
           vmdbcheck(vm));
    vmclose(vm);
    return st.base;
}

int main(void)
{
    char path[64];
    void *first, *second;

    snprintf(path, sizeof path, "/tmp/vmalloc-anywhere-%ld.img", (long)getpid());
    first = count(path, NULL);
    second = count(path, vmmaddress(LIMIT));
    printf("it has moved: %s\n", second != first ? "yes" : "no");
    printf("and stays: %s\n", count(path, NULL) == second ? "yes" : "no");
    unlink(path);
    return 0;
}
