/* SPDX-License-Identifier: MIT */
/*
 * report_html: one page that needs nothing else.
 *
 *   | template up to the marker | data | the rest of the template |
 *
 * The marker is the element that the page's script takes its data from.  The data is JSON in which
 * no "<" stands as itself, so nothing in it can end the element.
 */
#include "report_page.h"
#include "tool.h"

#include <string.h>

#define MARKER "@PROFILE@"

static const unsigned char *find_marker(void)
{
    size_t n = sizeof(MARKER) - 1, i;

    for (i = 0; i + n <= report_template_size; i++)
        if (report_template[i] == '@' && memcmp(report_template + i, MARKER, n) == 0)
            return report_template + i;
    return NULL;
}

/* {"now":{...},"before":{...}} */
static int put_profiles(report_t *r, report_t *before)
{
    int status;

    fputs("{\"now\":", r->out);
    status = report_put_data(r);
    if (before && status == 0) {
        fputs(",\"before\":", r->out);
        before->out = r->out;
        status = report_put_data(before);
    }
    fputs("}", r->out);
    return status;
}

int report_page(report_t *r, report_t *before)
{
    const unsigned char *marker = find_marker(), *end = report_template + report_template_size;

    if (!marker)
        return tool_fail(TOOL_CANNOT, "the template of the page has no place for data");
    fwrite(report_template, 1, (size_t)(marker - report_template), r->out);
    if (put_profiles(r, before) != 0)
        return tool_fail(TOOL_CANNOT, "out of memory");
    marker += sizeof(MARKER) - 1;
    fwrite(marker, 1, (size_t)(end - marker), r->out);
    return 0;
}

int report_html(report_t *r)
{
    return report_page(r, NULL);
}
