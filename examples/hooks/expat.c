/* SPDX-License-Identifier: MIT */
/*
 * Expat with a region per document: a parser takes three functions, which get no pointer of ours, so
 * that the region stands in a variable of the thread.  Vmlast cuts blocks one after another and frees
 * none of them by itself (but the last); closing it drops parser and all.
 */
#include <stdio.h>
#include <string.h>
#include <vmalloc.h>

#include <expat.h>

static _Thread_local Vmalloc_t *document;

static void *get(size_t size) { return vmalloc(document, size); }
static void *resize(void *block, size_t size)
{
    return vmresize(document, block, size, VM_RSMOVE | VM_RSCOPY);
}
static void leave(void *block) { (void)block; /* goes with the document */ }

static const XML_Memory_Handling_Suite memory = {get, resize, leave};

static void XMLCALL started(void *depth, const XML_Char *name, const XML_Char **attributes)
{
    printf("%*s%s", 2 * (*(int *)depth)++, "", name);
    for (; attributes[0] != NULL; attributes += 2)
        printf(" %s=%s", attributes[0], attributes[1]);
    puts("");
}

static void XMLCALL ended(void *depth, const XML_Char *name)
{
    (void)name;
    --*(int *)depth;
}

static int parse(const char *text)
{
    int depth = 0, status;
    XML_Parser parser;

    document = vmopen(Vmdcheap, Vmlast, VM_SINGLE);
    parser = document ? XML_ParserCreate_MM(NULL, &memory, NULL) : NULL;
    if (parser == NULL)
        return -1;
    XML_SetUserData(parser, &depth);
    XML_SetElementHandler(parser, started, ended);
    status = XML_Parse(parser, text, (int)strlen(text), 1);
    if (status != XML_STATUS_OK)
        printf("line %d: %s\n", (int)XML_GetCurrentLineNumber(parser),
               XML_ErrorString(XML_GetErrorCode(parser)));
    return vmclose(document); /* in place of XML_ParserFree() */
}

int main(void)
{
    return parse("<parts unit='mm'><part id='1'/><part id='2'><part id='3'/></part></parts>") |
           parse("<parts>\n<part></parts>");
}
