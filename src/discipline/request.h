/* SPDX-License-Identifier: MIT */
/*
 * What memoryf is asked for, read from its arguments:
 *
 *   addr   csize     nsize              request
 *   NULL   0         > 0                VMDC_GET      a new segment
 *   seg    > 0       > csize            VMDC_GROW     in place
 *   seg    > 0       0 < nsize <= csize VMDC_SHRINK   in place (of nothing when they are equal)
 *   seg    > 0       0                  VMDC_RELEASE
 *   anything else                       VMDC_NONE     makes no sense, the answer is NULL
 */
#ifndef VM_DISCIPLINE_REQUEST_H
#define VM_DISCIPLINE_REQUEST_H 1

#include "os.h"

typedef enum vmdc_request {
    VMDC_NONE,
    VMDC_GET,
    VMDC_GROW,
    VMDC_SHRINK,
    VMDC_RELEASE
} vmdc_request_t;

VMOS_INLINE vmdc_request_t vmdc_request(const void *addr, size_t csize, size_t nsize)
{
    if ((addr == NULL) != (csize == 0))
        return VMDC_NONE;
    if (csize == 0)
        return nsize > 0 ? VMDC_GET : VMDC_NONE;
    if (nsize == 0)
        return VMDC_RELEASE;
    return nsize > csize ? VMDC_GROW : VMDC_SHRINK;
}

#endif
