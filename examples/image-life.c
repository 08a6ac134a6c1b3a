/* SPDX-License-Identifier: MIT */
/*
 * The life of an image: changes that are dropped, and that are committed; a copy of the last
 * commit; turns that processes take; two images that are committed together; roots; a large block whose
 * changes the program tells of itself; whether the disk has changed a page.  Each line printed is a promise.
 */
#include <stdio.h>
#include <unistd.h>
#include <vmalloc/image.h>

static char one[64], two[64], copy[64]; /* names of files, of this process alone */

static Vmalloc_t *open_image(const char *path, unsigned int flags)
{
    Vmimgopt_t opt = {.flags = flags, .safety = VM_IMGPROCESS};
    Vmalloc_t *vm = vmimage(path, &opt);
    char why[160];

    if (vm == NULL && vmimagewhy(why, sizeof why) > 0)
        printf("%s: %s\n", path, why);
    return vm;
}

static int *number(Vmalloc_t *vm) /* that the image counts, 0 at first */
{
    int *n = vmrootget(vm, "number", NULL);

    if (n == NULL && (n = vmnewof(vm, NULL, int, 1, 0)) != NULL)
        vmrootset(vm, "number", n, 0, 1);
    return n;
}

static int tell_root(Vmalloc_t *vm, const Vmroot_t *root, Void_t *handle)
{
    (void)vm, (void)handle;
    printf("root: %s, version %u\n", root->name, root->version);
    return 0;
}

static void commits(Vmalloc_t *vm)
{
    Vmimgstat_t st;

    *number(vm) = 1;
    vmcommit(vm);
    *number(vm) = 2;
    vmrollback(vm);
    printf("after a rollback: %d\n", *number(vm));
    vmsnapshot(vm, copy);
    vmrootset(vm, "gone soon", vm, 0, 7);
    vmrootdel(vm, "gone soon");
    vmrootwalk(vm, tell_root, NULL);
    printf("on the disk: %s\n", vmsync(vm) == 0 ? "yes" : "no");
    printf("commits: %s\n", vmimgstat(vm, &st) == 0 && st.commits > 0 ? "some" : "none");
}

static void tells(Vmalloc_t *vm) /* small commits of a large block cost less so */
{
    int n = 1 << 20, *table = vmnewof(vm, NULL, int, n, 0);

    vmrootset(vm, "table", table, 0, 1);
    vmcommit(vm);
    vmtell(vm, table, n * sizeof *table, 1);
    table[n / 2] = 9;
    vmstored(vm, &table[n / 2], sizeof table[n / 2]);
    vmcommit(vm);
    vmtell(vm, table, n * sizeof *table, 0);
    table[n / 2] = 0;
    vmrollback(vm);
    printf("told of, and committed: %d\n", table[n / 2]);
}

static void together(Vmalloc_t *vm)
{
    Vmalloc_t *other = open_image(two, VM_IMGTURNS), *both[2] = {vm, other};

    vmturn(other, 1); /* waits for other processes, and sees what they committed */
    *number(vm) = *number(other) = 5;
    printf("both or none: %d\n", vmcommitall(both, 2));
    vmturn(other, 0);
    vmclose(other);
}

int main(void)
{
    Vmalloc_t *vm;

    snprintf(one, sizeof one, "image-life-%d.1", (int)getpid());
    snprintf(two, sizeof two, "image-life-%d.2", (int)getpid());
    snprintf(copy, sizeof copy, "image-life-%d.3", (int)getpid());
    if ((vm = open_image(one, VM_IMGNEW)) == NULL)
        return 1;
    commits(vm);
    tells(vm);
    together(vm);
    *number(vm) = 6;
    vmdrop(vm); /* also where VM_IMGCLOSE would have vmclose() commit */
    if ((vm = open_image(one, VM_IMGEXIST | VM_IMGCLOSE)) != NULL) {
        printf("after dropping: %d\n", *number(vm));
        vmclose(vm);
    }
    if ((vm = open_image(copy, VM_IMGEXIST | VM_IMGREAD)) != NULL) {
        printf("in the copy: %d\n", *number(vm));
        vmclose(vm);
    }
    printf("pages of the copy that are not as they were written: %ld\n", vmimagecheck(copy, NULL, NULL));
    return remove(one) | remove(two) | remove(copy);
}
