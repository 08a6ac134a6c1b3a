#!/bin/sh
# SPDX-License-Identifier: MIT
# unit.sh N: a C translation unit of N groups of functions on standard output.
exec awk -v groups="$1" 'BEGIN {
    print "typedef unsigned long word; word sink;"
    for (g = 0; g < groups; g++) {
        printf "struct s%d { word key, sum; struct s%d *next; char name[%d]; };\n", g, g, 8 + g % 24
        printf "static word hash%d(const char *s, word seed) {\n", g
        printf "  word h = seed * %dul;\n  while (*s) h = (h ^ (word)*s++) * %dul;\n  return h; }\n",
            g * 2 + 1, 16777619 + g
        printf "word walk%d(struct s%d *p, word limit) {\n  word total = 0, i;\n", g, g
        printf "  for (i = 0; p && i < limit; p = p->next, i++) {\n"
        printf "    switch ((p->key ^ i) %% %d) {\n", 7 + g % 5
        for (c = 0; c < 7; c++)
            printf "    case %d: total += p->sum %s %d; break;\n", c, substr("+-*^|&+", c + 1, 1), g + c
        printf "    default: total ^= hash%d(p->name, total); }\n  }\n  return total; }\n", g
        printf "void fill%d(struct s%d *p, word n) {\n  word i;\n", g, g
        printf "  for (i = 0; i < n; i++) { p[i].key = i * %d; p[i].sum = p[i].key >> %d;\n", g + 3, g % 7
        printf "    p[i].next = i + 1 < n ? &p[i + 1] : 0; p[i].name[i %% %d] = 0; }\n", 8 + g % 24
        printf "  sink += walk%d(p, n) + hash%d(p->name, %d); }\n", g, g, g
    }
}'
