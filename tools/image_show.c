/* SPDX-License-Identifier: MIT */
/* Images shown: figures, roots, a picture of how full the region is, blocks; and checked. */
#include "image.h"
#include "tool.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLUMNS = 64, ROWS = 8, CELLS = COLUMNS * ROWS };

/* ---- walking, with progress ---- */

typedef struct walk {
    Vmblock_f f;
    void *handle;
    size_t bytes, extent, told;
    int show;
} walk_t;

static int step(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    walk_t *w = handle;

    w->bytes += size;
    if (w->show && w->bytes - w->told >= w->extent / 100) {
        w->told = w->bytes;
        fprintf(stderr, "\r%3zu %%", w->bytes / (w->extent / 100 + 1));
    }
    return (*w->f)(vm, addr, size, busy, w->handle);
}

void image_walk(image_t *image, Vmblock_f f, void *handle)
{
    walk_t w = {.f = f, .handle = handle, .extent = image->stat.extent};

    w.show = isatty(2) && image->stat.extent > (size_t)256 << 20;
    vmblkwalk(image->vm, step, &w);
    if (w.show)
        fprintf(stderr, "\r      \r");
}

/* ---- figures ---- */

static const char *method_of(const image_t *image)
{
    int mode = image->stat.mode;

    return mode & VM_MTDEBUG     ? "Vmdebug"
           : mode & VM_MTPROFILE ? "Vmprofile"
           : mode & VM_MTBEST    ? "Vmbest"
           : mode & VM_MTLAST    ? "Vmlast"
           : mode & VM_MTPOOL    ? "Vmpool"
                                 : "a method of its own";
}

static void *base_of(const image_t *image)
{
    return image->shared ? image->shstat.base : image->imgstat.base;
}

static size_t limit_of(const image_t *image)
{
    return image->shared ? image->shstat.limit : image->imgstat.limit;
}

static void size_line(const char *what, size_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double x = (double)bytes;
    int u = 0;

    for (; x >= 10240 && u < 4; u++)
        x /= 1024;
    printf("%-10s %.0f %s\n", what, x, units[u]);
}

static void print_kind(const image_t *image)
{
    struct stat st = {0};

    stat(image->path, &st);
    printf("%-10s %s\n", "image", image->path);
    if (image->shared)
        printf("%-10s shared, %u processes use it, %u died\n", "kind", image->shstat.nproc - 1,
               image->shstat.ndead);
    else
        printf("%-10s committed, %lu commits, %lu of them in the journal\n", "kind",
               image->imgstat.commits, image->imgstat.replayed);
    printf("%-10s %s\n", "method", method_of(image));
    printf("%-10s %p, up to ", "addresses", base_of(image));
    printf("%zu MiB\n", limit_of(image) >> 20);
    if (!image->shared && image->imgstat.home != image->imgstat.base)
        printf("%-10s its own addresses, from %p, are taken here\n", "moved", image->imgstat.home);
    size_line("file", (size_t)st.st_size);
    size_line("on disk", (size_t)st.st_blocks * 512);
    size_line("region", image->stat.extent);
    printf("%-10s %zu, %zu bytes, the largest %zu\n", "blocks", image->stat.n_busy, image->stat.s_busy,
           image->stat.m_busy);
    printf("%-10s %zu, %zu bytes, the largest %zu\n", "free", image->stat.n_free, image->stat.s_free,
           image->stat.m_free);
}

static int print_root(Vmalloc_t *vm, const Vmroot_t *root, Void_t *handle)
{
    int *n = handle;
    long size = root->value != NULL ? vmsize(vm, root->value) : -1;

    printf("%-10s %s: type %#lx, version %u, ", (*n)++ == 0 ? "roots" : "", root->name, root->type,
           root->version);
    if (size >= 0)
        printf("block of %ld bytes at %p\n", size, root->value);
    else
        printf("%p\n", root->value);
    return 0;
}

/* ---- a picture: each cell a part of the region, the fuller the darker ---- */

typedef struct picture {
    const char *base;
    size_t cell;           /* bytes that a cell stands for */
    size_t busy[CELLS];
} picture_t;

static int paint(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    picture_t *p = handle;
    size_t at = (size_t)((char *)addr - p->base), i;

    (void)vm;
    for (; busy && size > 0; at += i, size -= i) {
        i = p->cell - at % p->cell;
        i = i < size ? i : size;
        if (at / p->cell < CELLS)
            p->busy[at / p->cell] += i;
    }
    return 0;
}

static int find_base(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc, Void_t *handle)
{
    picture_t *p = handle;

    (void)vm, (void)disc;
    if (p->base == NULL || (char *)addr < p->base)
        p->base = addr;
    (void)size;
    return 0;
}

static picture_t *draw(image_t *image)
{
    picture_t *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    vmwalk(image->vm, find_base, p);
    p->cell = image->stat.extent / CELLS + 1;
    if (p->cell < 4096)
        p->cell = 4096;
    image_walk(image, paint, p);
    return p;
}

static void print_picture(image_t *image)
{
    static const char shades[] = ".:-=+*%#";
    picture_t *p = draw(image);
    size_t i, n;

    if (p == NULL)
        return;
    n = (image->stat.extent + p->cell - 1) / p->cell;
    printf("%-10s each mark %zu KiB, from . empty to # full", "occupancy", p->cell / 1024);
    for (i = 0; i < n && i < CELLS; i++) {
        if (i % COLUMNS == 0)
            printf("\n           ");
        putchar(p->busy[i] == 0 ? '.' : shades[1 + p->busy[i] * 6 / p->cell]);
    }
    putchar('\n');
    free(p);
}

/* ---- as JSON ---- */

static void json_string(const char *s)
{
    putchar('"');
    for (; *s != '\0'; s++)
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            printf("\\u%04x", (unsigned)*s);
        else
            putchar(*s);
    putchar('"');
}

static int json_root(Vmalloc_t *vm, const Vmroot_t *root, Void_t *handle)
{
    int *n = handle;

    (void)vm;
    printf("%s{\"name\":", (*n)++ == 0 ? "" : ",");
    json_string(root->name);
    printf(",\"value\":\"%p\",\"type\":%lu,\"version\":%u}", root->value, root->type, root->version);
    return 0;
}

static int json_info(image_t *image)
{
    int n = 0;

    printf("{\"path\":");
    json_string(image->path);
    printf(",\"kind\":\"%s\",\"method\":\"%s\",\"base\":\"%p\",\"limit\":%zu", image->shared ? "shared" : "committed",
           method_of(image), base_of(image), limit_of(image));
    if (image->shared)
        printf(",\"processes\":%u,\"dead\":%u", image->shstat.nproc - 1, image->shstat.ndead);
    else
        printf(",\"home\":\"%p\",\"commits\":%lu,\"replayed\":%lu,\"journal\":%lu", image->imgstat.home,
               image->imgstat.commits, image->imgstat.replayed, image->imgstat.journal);
    printf(",\"extent\":%zu,\"n_busy\":%zu,\"s_busy\":%zu,\"n_free\":%zu,\"s_free\":%zu,\"roots\":[",
           image->stat.extent, image->stat.n_busy, image->stat.s_busy, image->stat.n_free,
           image->stat.s_free);
    if (!image->shared)
        vmrootwalk(image->vm, json_root, &n);
    puts("]}");
    return 0;
}

int image_info(image_t *image, int json)
{
    int n = 0;

    if (json)
        return json_info(image);
    print_kind(image);
    if (!image->shared)
        vmrootwalk(image->vm, print_root, &n);
    print_picture(image);
    return 0;
}

/* ---- checking ---- */

static int count(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    image_count_t *c = handle;

    (void)vm, (void)addr;
    c->blocks += busy != 0;
    c->bytes += busy ? size : 0;
    return 0;
}

static void print_verdict(const image_t *image, int json, int faults, const image_count_t *c)
{
    size_t pages = image->pages != NULL ? image->pages->n : 0;

    if (json)
        printf("{\"sound\":%s,\"faults\":%d,\"pages\":%zu,\"blocks\":%zu,\"bytes\":%zu}\n",
               faults != 0 || pages > 0 ? "false" : "true", faults, pages, c->blocks, c->bytes);
    else if (faults == 0 && pages == 0)
        printf("%s: sound: %zu blocks, %zu bytes\n", image->path, c->blocks, c->bytes);
    else
        printf("%s: DAMAGED in %d places, and in %zu pages\n", image->path, faults, pages);
}

int image_check(image_t *image, int json)
{
    image_count_t c = {0, 0};
    int faults, stated;

    if (image_figures(image) != 0) /* blocks may have been dropped */
        return TOOL_CANNOT;
    if (image->pages != NULL && image->pages->n > 0 && !json)
        image_name_blocks(image, image->pages);
    fflush(stdout);
    vmdebug(json ? 2 : 1); /* one line a fault */
    faults = vmdbcheck(image->vm);
    image_walk(image, count, &c);
    stated = c.blocks != image->stat.n_busy;
    if (stated && !json)
        printf("%s: %zu blocks are found, and %zu counted\n", image->path, c.blocks, image->stat.n_busy);
    faults += stated;
    print_verdict(image, json, faults, &c);
    return faults == 0 && (image->pages == NULL || image->pages->n == 0) ? IMAGE_SOUND : IMAGE_DAMAGED;
}

/* ---- blocks ---- */

static void hexdump(const unsigned char *p, size_t size)
{
    size_t i, j;

    for (i = 0; i < size; i += 16) {
        printf("  %06zx ", i);
        for (j = i; j < i + 16; j++)
            if (j < size)
                printf(" %02x", p[j]);
            else
                printf("   ");
        printf("  ");
        for (j = i; j < i + 16 && j < size; j++)
            putchar(isprint(p[j]) ? p[j] : '.');
        putchar('\n');
    }
}

static int list(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    const int *contents = handle;

    (void)vm;
    printf("%p %zu %s\n", addr, size, busy ? "busy" : "free");
    if (busy && *contents)
        hexdump(addr, size);
    return 0;
}

int image_dump(image_t *image, int contents)
{
    image_walk(image, list, &contents);
    return 0;
}
