/* SPDX-License-Identifier: MIT */
/* suppress: a rule of suppressions, between who reads it and who applies it. */
#ifndef VM_DEBUG_SUPPRESS_H
#define VM_DEBUG_SUPPRESS_H 1

#include "report.h"

typedef enum vmdg_match { VMDG_DOTS, VMDG_FUNCTION, VMDG_OBJECT, VMDG_SOURCE, VMDG_ANY } vmdg_match_t;

typedef struct vmdg_pattern {
    vmdg_match_t what;
    size_t n;
    const char *text;
} vmdg_pattern_t;

#define VMDG_PATTERNS 32
typedef struct vmdg_rule {
    struct vmdg_rule *next;
    uint32_t kinds; /* a bit for each vmdg_kind_t */
    unsigned times; /* how often it applied */
    size_t n;
    vmdg_pattern_t pattern[];
} vmdg_rule_t;

/* Memory for rules and their texts; NULL: no more. */
void *vmdg_suppress_take(size_t n);
void vmdg_suppress_add(vmdg_rule_t *rule);

#endif
