/* SPDX-License-Identifier: MIT */
/*
 * hot: pages that change with commit after commit.  Writes to them are not noted, which spares a fault each and a
 * call to note them again; they are compared with their twins at each commit instead.
 *
 *   in two commits in a row -> hot -> in none of MOSTIDLE -> as others
 *
 * A comparison costs a tenth to a third of what a fault and its noting cost, so a page may be hot for commits that
 * it is not in.  When few of many hot pages changed, all age faster: what came before was another kind of work.
 * A commit of more pages than can be hot ends it for all, and so do writes to so many others that noting these one
 * by one costs more than the faults (track.c): then for RESTS commits no more are hot than small commits have.
 * Invariants: ishot has the bits of hot[0] to hot[nhot - 1], wasin those of recent[0] to recent[nrecent - 1].
 * Cost: of the order of the pages of the commit and the hot ones.
 */
#include "image.h"

#define MOSTIDLE 16 /* commits after which a page is hot no more */
#define FEW 16      /* pages that small commits change again and again */
#define RESTS 64

static void forget(vmi_t *img)
{
    while (img->nrecent > 0)
        vmb_bit_clear(img->wasin, (size_t)img->recent[--img->nrecent]);
}

static void chill(vmi_t *img)
{
    while (img->nhot > 0)
        vmb_bit_clear(img->ishot, (size_t)img->hot[--img->nhot]);
    img->calm = 0;
}

void vmi_hot_none(vmi_t *img)
{
    img->rests = img->nhot > FEW ? RESTS : img->rests;
    chill(img);
}

/* What this commit has, and the one before had. */
static void heat(vmi_t *img, const vmi_entry_t *list, uint64_t n, int most)
{
    uint64_t i, page;
    for (i = 0; i < n && img->nhot < most; i++) {
        page = list[i].page & ~VMI_KIND;
        if (!vmb_bit(img->wasin, (size_t)page) || vmb_bit(img->ishot, (size_t)page))
            continue;
        vmb_bit_set(img->ishot, (size_t)page);
        img->hot[img->nhot] = page;
        img->idle[img->nhot++] = 0;
    }
}

static void remember(vmi_t *img, const vmi_entry_t *list, uint64_t n)
{
    uint64_t i;
    forget(img);
    for (i = 0; i < n; i++) {
        img->recent[i] = list[i].page & ~VMI_KIND;
        vmb_bit_set(img->wasin, (size_t)img->recent[i]);
    }
    img->nrecent = (int)n;
}

static void cool(vmi_t *img)
{
    int k, age, changed = 0;
    for (k = 0; k < img->nhot; k++)
        changed += vmb_bit(img->wasin, (size_t)img->hot[k]);
    age = img->nhot > FEW && changed < img->nhot / 8 ? 4 : 1;
    for (k = img->nhot; k-- > 0;) {
        img->idle[k] = (unsigned char)(vmb_bit(img->wasin, (size_t)img->hot[k]) ? 0 : img->idle[k] + age);
        if (img->idle[k] <= MOSTIDLE)
            continue;
        vmb_bit_clear(img->ishot, (size_t)img->hot[k]);
        img->hot[k] = img->hot[--img->nhot];
        img->idle[k] = img->idle[img->nhot];
        img->calm = 0; /* writes to it are to be noted again */
    }
}

void vmi_hot_learn(vmi_t *img, const vmi_entry_t *list, uint64_t n)
{
    int most = img->rests > 0 ? FEW : VMI_HOT;
    img->rests -= img->rests > 0;
    if (n > (uint64_t)most) {
        forget(img);
        chill(img);
        return;
    }
    heat(img, list, n, most);
    remember(img, list, n);
    cool(img);
}
