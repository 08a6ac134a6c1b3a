/* SPDX-License-Identifier: MIT */
/*
 * twin: pages that change again and again, as the last commit has them, in memory of the system.
 *
 *   page   | line 0 | line 1 | ...                              | line 63 |    VMI_LINES of them
 *   twin   | line 0 | line 1 | ...                              | line 63 |
 *   mask     0        1        0 ...                              1            those that differ
 *
 * A page that the journal has whole, and that changes once more, gets a twin; from then on its lines that
 * differ from it are all that a record has of it (VMI_LINED).  Who reads the journal puts them into a twin of
 * its own.  Twins last as long as the journal: after a checkpoint a page is written whole again, so that
 * what is in its place is never needed to make it.
 * Slots:  | 1 MiB | 2 MiB | 4 MiB | ...   handed out in order, all taken back at once; a table has the number of
 * each page's, from 1.
 * Invariant: a twin is that page of the last commit.
 * Cost: a page of memory each, and a read from the journal when it is made; telling lines
 * 0.07 µs for 4 KiB, for the C library compares with what the processor has.
 * After: twins and diffs of TreadMarks (Keleher et al., USENIX 1994).
 */
#include "image.h"

#include <errno.h>
#include <string.h>

/* Slot i, from 0. */
static char *slot(const vmi_t *img, size_t i, size_t *chunk)
{
    size_t each = VMI_CHUNK / img->psize, at = i + each;
    *chunk = (size_t)vmb_log2(at / each);
    return img->twins[*chunk] + (at - (each << *chunk)) * img->psize;
}

char *vmi_twin(const vmi_t *img, uint64_t page)
{
    size_t chunk;
    return img->twin[page] != 0 ? slot(img, img->twin[page] - 1, &chunk) : NULL;
}

char *vmi_twin_make(vmi_t *img, uint64_t page)
{
    char *p = vmi_twin(img, page);
    size_t chunk;
    if (p != NULL)
        return p;
    slot(img, img->ntwins, &chunk);
    if (chunk >= VMI_TWINCHUNKS) {
        errno = ENOMEM;
        return NULL;
    }
    if (img->twins[chunk] == NULL && (img->twins[chunk] = vmos_map(NULL, VMI_CHUNK << chunk, 0)) == NULL)
        return NULL;
    p = slot(img, img->ntwins, &chunk);
    if (vmi_journal_page(img, page, p) != 0)
        return NULL;
    img->twin[page] = (uint32_t)++img->ntwins;
    return p;
}

void vmi_twin_close(vmi_t *img)
{
    size_t i;
    for (i = 0; i < VMI_TWINCHUNKS; i++)
        if (img->twins[i] != NULL)
            vmos_unmap(img->twins[i], VMI_CHUNK << i);
}

/* ---- lines ---- */

#define GROUP ((size_t)8) /* lines that are looked at together first, for most are as they were */

uint64_t vmi_lines_differ(const void *a, const void *b, size_t psize)
{
    size_t line = psize / VMI_LINES, i, k;
    const char *x = a, *y = b;
    uint64_t mask = 0;
    for (i = 0; i < VMI_LINES; i += GROUP) {
        if (memcmp(x + i * line, y + i * line, GROUP * line) == 0)
            continue;
        for (k = i; k < i + GROUP; k++)
            mask |= (uint64_t)(memcmp(x + k * line, y + k * line, line) != 0) << k;
    }
    return mask;
}

size_t vmi_lines_take(void *to, const void *page, uint64_t mask, size_t psize)
{
    size_t line = psize / VMI_LINES;
    char *at = to;
    for (; mask != 0; mask &= mask - 1, at += line)
        memcpy(at, (const char *)page + (size_t)vmb_ctz(mask) * line, line);
    return (size_t)(at - (char *)to);
}

size_t vmi_lines_put(void *page, const void *from, uint64_t mask, size_t psize)
{
    size_t line = psize / VMI_LINES;
    const char *at = from;
    for (; mask != 0; mask &= mask - 1, at += line)
        memcpy((char *)page + (size_t)vmb_ctz(mask) * line, at, line);
    return (size_t)(at - (const char *)from);
}

/* ---- words of lines ----
 *
 *   | a byte for each line of the mask: which of its 8 words | to 8 | words, line by line |
 */

/* word: of how many bytes; that it is a constant makes the common case as short as can be. */
VMOS_INLINE char *takeline(char *to, const char *now, const char *was, size_t word, unsigned char *which)
{
    unsigned k, bits = 0;
    for (k = 0; k < 8; k++, now += word, was += word)
        if (memcmp(now, was, word) != 0) {
            bits |= 1u << k;
            memcpy(to, now, word);
            to += word;
        }
    *which = (unsigned char)bits;
    return to;
}

size_t vmi_words_take(void *to, const void *page, const void *twin, uint64_t mask, size_t psize)
{
    size_t line = psize / VMI_LINES, at;
    unsigned char *which = to;
    char *words = (char *)to + VMB_UP((size_t)vmb_pop(mask), 8);
    memset(to, 0, (size_t)(words - (char *)to));
    for (; mask != 0; mask &= mask - 1) {
        at = (size_t)vmb_ctz(mask) * line;
        words = takeline(words, (const char *)page + at, (const char *)twin + at, line == 64 ? 8 : line / 8, which++);
    }
    return (size_t)(words - (char *)to);
}

size_t vmi_words_put(void *page, const void *from, uint64_t mask, size_t psize)
{
    size_t line = psize / VMI_LINES, word = line / 8;
    const unsigned char *which = from;
    const char *words = (const char *)from + VMB_UP((size_t)vmb_pop(mask), 8);
    for (; mask != 0; mask &= mask - 1) {
        char *to = (char *)page + (size_t)vmb_ctz(mask) * line;
        uint64_t bits = *which++;
        for (; bits != 0; bits &= bits - 1, words += word)
            memcpy(to + (size_t)vmb_ctz(bits) * word, words, word);
    }
    return (size_t)(words - (const char *)from);
}

size_t vmi_words_size(const void *from, size_t left, uint64_t mask, size_t psize)
{
    size_t n = (size_t)vmb_pop(mask), size = VMB_UP(n, 8), i;
    const unsigned char *which = from;
    if (size > left)
        return 0;
    for (i = 0; i < n; i++)
        size += (size_t)vmb_pop(which[i]) * (psize / VMI_LINES / 8);
    return size <= left ? size : 0;
}
