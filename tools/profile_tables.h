/* SPDX-License-Identifier: MIT */
/*
 * profile_tables: how profile_read.c hands records over; the tables of a profile_t are made of
 * them.
 */
#ifndef VMALLOC_PROFILE_TABLES_H
#define VMALLOC_PROFILE_TABLES_H 1

#include "profile_read.h"

void profile_complain(profile_t *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The records are checked as far as their own length goes. */
void profile_add_module(profile_t *p, const Vmpfmodule_t *r, const char *path);
void profile_add_stack(profile_t *p, const Vmpfstack_t *r);
void profile_add_place(profile_t *p, const Vmpfplace_t *r, const char *file, const char *func);
void profile_add_region(profile_t *p, const Vmpfregion_t *r);
void profile_add_site(profile_t *p, const Vmpfsite_t *r);
void profile_add_time(profile_t *p, const Vmpftime_t *r);
void profile_add_segment(profile_t *p, const Vmpfsegment_t *r);

/* After all records: sort, join, sum up.  0, or -1 when there is no memory. */
int profile_finish(profile_t *p);

#endif
