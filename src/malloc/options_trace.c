/* SPDX-License-Identifier: MIT */
/*
 * options_trace: traces, and what others may see of the process.
 */
#include "option.h"

vmma_answer_t vmma_set_trace(vmma_word_t value)
{
    int fd = value.n > 0 ? vmma_word_fd(value) : -1;
    if (value.n == 0)
        return vmma_nosense;
    if (fd >= 0) {
        vmma_options.tracefd = vmos_copyfd(fd);
        return vmma_options.tracefd >= 0 ? NULL : vmma_nosense;
    }
    vmma_options.trace = value.s;
    vmma_options.tracelen = value.n;
    return NULL;
}

vmma_answer_t vmma_set_traceform(vmma_word_t value)
{
    if (vmma_word_is(value, "binary"))
        vmma_options.traceform = 1;
    else if (vmma_word_is(value, "text"))
        vmma_options.traceform = -1;
    else
        return vmma_nosense;
    return NULL;
}

/* Of a trace, or of the reports of Vmdebug: the names differ. */
static vmma_answer_t set_format(vmma_word_t value)
{
    return vmma_set_traceform(value) == NULL ? NULL : vmma_set_reportform(value);
}

/* The file is made at the end. */
static vmma_answer_t set_stat(vmma_word_t value)
{
    if (value.n == 0)
        return vmma_nosense;
    vmma_options.stat = value.s;
    vmma_options.statlen = value.n;
    return NULL;
}

/* Some systems let only parents and the superuser look into a process. */
static vmma_answer_t set_top(vmma_word_t value)
{
    (void)value;
    return vmos_letlook() == 0 ? NULL : vmma_notnow;
}

const vmma_option_t vmma_options_trace[] = {
    {"format", 4, set_format},
    {"stat", 4, set_stat},
    {"top", 2, set_top},
    {"trace", 1, vmma_set_trace},
    {NULL, 0, NULL},
};
