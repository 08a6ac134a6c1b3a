/* SPDX-License-Identifier: MIT */
/* One region: open it, take blocks, resize one, drop everything.  README.md shows this text. */
#include <stdio.h>
#include <vmalloc.h>

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0); /* memory of the system, cut by best fit */
    char *title = vm ? vmstrdup(vm, "squares:") : NULL;
    int *squares = vm ? vmalloc(vm, 3 * sizeof *squares) : NULL;

    if (squares)
        squares = vmresize(vm, squares, 6 * sizeof *squares, VM_RSMOVE | VM_RSCOPY);
    if (title == NULL || squares == NULL)
        return 1;
    for (int i = 0; i < 6; i++)
        squares[i] = i * i;
    printf("%s %d, %d, ... %d\n", title, squares[1], squares[2], squares[5]);
    return vmclose(vm); /* every block goes at once */
}
