/* SPDX-License-Identifier: MIT */
/*
 * libxml2 in a region: xmlMemSetup() before its first other call.  What the library builds once and
 * what it builds for a document lie in the same region, so documents are freed, and the region is
 * closed at the end of all.
 */
#include <stdio.h>
#include <string.h>
#include <vmalloc.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

static Vmalloc_t *region;

static void put(void *block) { vmfree(region, block); }
static void *get(size_t size) { return vmalloc(region, size); }
static void *resize(void *block, size_t size)
{
    return vmresize(region, block, size, VM_RSMOVE | VM_RSCOPY);
}
static char *copy(const char *string) { return vmstrdup(region, string); }

static size_t busy(void)
{
    Vmstat_t st;
    vmstat(region, &st);
    return st.n_busy;
}

int main(void)
{
    static const char text[] = "<list><item>one</item><item>two</item></list>";
    size_t before, with;
    xmlDocPtr doc;

    region = vmopen(Vmdcheap, Vmbest, 0);
    if (region == NULL || xmlMemSetup(put, get, resize, copy) != 0)
        return 1;
    xmlInitParser();
    xmlFreeDoc(xmlReadMemory(text, (int)strlen(text), "first.xml", NULL, 0));
    before = busy();
    doc = xmlReadMemory(text, (int)strlen(text), "list.xml", NULL, 0);
    with = busy();
    for (xmlNodePtr item = xmlDocGetRootElement(doc)->children; item; item = item->next)
        printf("%s: %s\n", (const char *)item->name, (const char *)item->children->content);
    printf("the document lies in the region: %s\n", vmregion(doc) == region ? "yes" : "no");
    xmlFreeDoc(doc);
    printf("blocks of the document: %s, left: %zu\n", with > before ? "some" : "none",
           busy() - before);
    xmlCleanupParser();
    return vmclose(region);
}
