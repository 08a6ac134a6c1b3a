/* SPDX-License-Identifier: MIT */
/* both: fprintf(): value 1 of its format was never written */
#include "_crime.h"

void crime(int right)
{
    double *p = (double *)(void *)block(10 * sizeof *p);
    float *q = (float *)(void *)block(sizeof *q);
    *q = -1.5f;
    if (right)
        p[9] = 0.5;
    fprintf(stdout, "%g %g\n", p[9], (double)*q);
    free(p);
    free(q);
}
