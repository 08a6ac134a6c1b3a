/* SPDX-License-Identifier: MIT */
/*
 * report_page: the page of "vmalloc report --html": a template with a place for data.
 */
#ifndef VMALLOC_REPORT_PAGE_H
#define VMALLOC_REPORT_PAGE_H 1

#include "report.h"

/* tools/web/template.html, which the build makes an array of; report_template_size bytes. */
extern const unsigned char report_template[];
extern const size_t report_template_size;

/* The profile as the object that the page reads.  0, or -1: no memory. */
int report_put_data(report_t *r);

#endif
