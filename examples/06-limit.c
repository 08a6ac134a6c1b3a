/* SPDX-License-Identifier: MIT */
/* Memory that ends: a region in a buffer, and one with a quota.  When the buffer is full the
 * VM_NOMEM handler drops a cache, and the request that failed is tried again. */
#include <stdio.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>

static char buffer[64 * 1024];
static char *cache; /* lies in the buffer, and can be done without */

static int drop_cache(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)obj, (void)disc;
    if (type != VM_NOMEM || cache == NULL)
        return 0; /* nothing to give: let the request fail */
    vmfree(vm, cache);
    cache = NULL;
    printf("  (the cache was dropped)\n");
    return 0; /* search again what is free now; 1 would ask the discipline again */
}

static void in_a_buffer(void)
{
    Vmdisc_t *dc = vmdcfixedin(buffer, sizeof buffer);
    Vmalloc_t *vm = vmopen(dc, Vmbest, 0);

    dc->exceptf = drop_cache;
    cache = vmalloc(vm, 30000);
    printf("20000 bytes: %s\n", vmalloc(vm, 20000) ? "yes" : "no");
    printf("20000 bytes more: %s\n", vmalloc(vm, 20000) ? "yes" : "no");
    printf("20000 bytes more: %s\n", vmalloc(vm, 20000) ? "yes" : "no");
    vmclose(vm);
}

static void with_a_quota(void)
{
    Vmdisc_t *dc = vmdclimit(Vmdcsystem, 0, 1024 * 1024, NULL, NULL);
    Vmalloc_t *vm = vmopen(dc, Vmbest, 0);

    printf("half of the quota: %s\n", vmalloc(vm, 512 * 1024) ? "yes" : "no");
    printf("more than the quota: %s\n", vmalloc(vm, 1024 * 1024) ? "yes" : "no");
    vmclose(vm);
    printf("held after closing: %zu\n", vmdclimited(dc));
    vmdcfree(dc);
}

int main(void)
{
    in_a_buffer();
    with_a_quota();
    return 0;
}
