/* SPDX-License-Identifier: MIT */
/* Of 2012: a dictionary's test keeps a list in a file that two processes open, finds it by number, and
 * finds it again when the region was closed. */
#include "terror.h"

#include <sys/wait.h>
#include <unistd.h>

#define KEY 1

typedef struct Item_s {
    struct Item_s *next;
    int value;
} Item_t;

static void add(Vmalloc_t *vm, int value)
{
    Item_t *item = vmnewof(vm, 0, Item_t, 1, 0);
    tcheck(item != 0);
    item->value = value;
    item->next = (Item_t *)vmmvalue(vm, KEY, 0, VM_MMGET);
    tcheck(vmmvalue(vm, KEY, item, VM_MMSET) == (Void_t *)item);
}

int main(void)
{
    char file[] = "/tmp/vmcompatXXXXXX";
    Vmalloc_t *vm;
    Item_t *item;
    int status, fd = mkstemp(file);
    tcheck(fd >= 0);
    close(fd);
    unlink(file);
    tcheck((vm = vmmopen(file, -1, 1024 * 1024)) != 0);
    add(vm, 1);
    if (fork() == 0) {
        add(vm, 2);
        tcheck(vmclose(vm) == 0);
        _exit(0);
    }
    tcheck(wait(&status) > 0 && status == 0);
    tcheck(vmclose(vm) == 0);
    tcheck((vm = vmmopen(file, -1, 1024 * 1024)) != 0);
    item = (Item_t *)vmmvalue(vm, KEY, 0, VM_MMGET);
    tcheck(item && item->value == 2 && item->next && item->next->value == 1 && !item->next->next);
    vmmrelease(vm, 1);
    tcheck(vmclose(vm) == 0);
    tcheck(access(file, F_OK) != 0);
    return 0;
}
