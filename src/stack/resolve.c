/* SPDX-License-Identifier: MIT */
/*
 * Names for the entries of a stack, from a helper process that may allocate and read files.
 *
 * The helper, "vmalloc symbols", says hello, and answers lines in order:
 *
 *   <- vmalloc symbols 1
 *   -> PATH BUILDID HEXOFFSET          BUILDID: in hex, "-" when there is none
 *   <- FUNCTION \t FILE:LINE           any number of lines, inlined functions first,
 *   <-                                 and an empty one
 *
 * One line is asked at a time, so that nobody waits for who waits for him.  All that is needed in
 * the way of memory is one mapping, since stacks of signal handlers are small.
 */
#include "walk.h"

#include <errno.h>
#include <string.h>

#define HELLO "vmalloc symbols 1"
#define PATHS 12
#define PATH 4096
#define MILLI 1000000u

typedef struct work {
    vmos_helper_t helper;
    uint64_t deadline;
    int asking; /* the helper runs and answers */
    size_t have, next; /* bytes in `in`, those already given out */
    const char *paths[PATHS + 1];
    char path[PATHS][PATH];
    char out[2 * PATH], in[2 * PATH], line[2 * PATH], held[2 * PATH];
} work_t;

/* ---- where the helper may be ---- */

static size_t add_path(work_t *w, size_t n, const char *folder, size_t length, const char *name)
{
    vmb_out_t o;
    if (n == PATHS || length + strlen(name) >= PATH)
        return n;
    vmb_out_init(&o, w->path[n], PATH);
    vmb_printf(&o, "%.*s%s", (int)length, folder, name);
    w->paths[n] = w->path[n];
    w->paths[n + 1] = NULL;
    return n + 1;
}

static size_t beside_library(work_t *w, size_t n)
{
    static const char *const names[] = {"vmalloc", "../bin/vmalloc", "../../bin/vmalloc"};
    const vmsk_module_t *m;
    uintptr_t offset, text, etext;
    const char *slash;
    vmsk_module_own(&text, &etext);
    if (text == etext || vmsk_place((void *)(uintptr_t)vmsk_resolve, &m, &offset) != 0)
        return n;
    slash = strrchr(m->path, '/');
    for (size_t i = 0; slash != NULL && i < sizeof(names) / sizeof(*names); i++)
        n = add_path(w, n, m->path, (size_t)(slash + 1 - m->path), names[i]);
    return n;
}

/* Only absolute folders: what lies where the program happens to be is not trusted. */
static size_t in_path(work_t *w, size_t n)
{
    const char *p = vmos_getenv("PATH");
    while (p != NULL && *p != '\0') {
        size_t length = strcspn(p, ":");
        if (*p == '/')
            n = add_path(w, n, p, length, "/vmalloc");
        p += length + (p[length] == ':');
    }
    return n;
}

static size_t candidates(work_t *w)
{
    const char *tool = vmos_getenv("VMALLOC_TOOL");
    if (tool != NULL && *tool != '\0')
        return add_path(w, 0, tool, strlen(tool), "");
    return in_path(w, beside_library(w, 0));
}

/* ---- talking to it ---- */

static int fill(work_t *w)
{
    long got = vmos_helper_read(&w->helper, w->in, sizeof(w->in), w->deadline);
    w->have = got > 0 ? (size_t)got : 0;
    w->next = 0;
    return got > 0 ? 0 : -1;
}

/* The next line, without its end, into w->line; too long a one is cut.  0, or -1. */
static int get_line(work_t *w)
{
    size_t n = 0;
    for (;;) {
        if (w->next == w->have && fill(w) != 0)
            return -1;
        if (w->in[w->next] == '\n')
            break;
        if (n < sizeof(w->line) - 1)
            w->line[n++] = w->in[w->next];
        w->next++;
    }
    w->next++;
    w->line[n] = '\0';
    return 0;
}

static void hang_up(work_t *w)
{
    if (w->asking)
        vmos_helper_stop(&w->helper, VMB_MIN(w->deadline, vmos_nanotime() + 100 * MILLI));
    w->asking = 0;
}

static void call(work_t *w, unsigned millis)
{
    static char name[] = "vmalloc", what[] = "symbols";
    static char *const argv[] = {name, what, NULL};
    w->deadline = vmos_nanotime() + (uint64_t)millis * MILLI;
    if (millis == 0 || candidates(w) == 0 || vmos_helper_start(&w->helper, w->paths, argv) != 0)
        return;
    w->asking = 1;
    if (get_line(w) != 0 || strcmp(w->line, HELLO) != 0)
        hang_up(w);
}

static int ask(work_t *w, const vmsk_module_t *m, uintptr_t offset)
{
    vmb_out_t o;
    vmb_out_init(&o, w->out, sizeof(w->out));
    vmb_printf(&o, "%s ", m->path);
    for (uint32_t i = 0; i < m->nid; i++)
        vmb_printf(&o, "%02x", m->id[i]);
    vmb_printf(&o, "%s %lx\n", m->nid == 0 ? "-" : "", (unsigned long)offset);
    return vmos_helper_write(&w->helper, w->out, o.len, w->deadline);
}

/* "FUNCTION \t FILE:LINE" taken apart in place. */
static vmsk_name_t parse(char *line, int inlined)
{
    vmsk_name_t name = {line, "", 0, inlined};
    char *tab = strchr(line, '\t'), *colon = tab != NULL ? strrchr(tab, ':') : NULL;
    if (tab != NULL)
        *tab = '\0';
    if (colon != NULL) {
        *colon = '\0';
        name.file = tab + 1;
        for (const char *p = colon + 1; *p >= '0' && *p <= '9'; p++)
            name.line = name.line * 10 + (unsigned)(*p - '0');
    }
    if (strcmp(name.function, "?") == 0)
        name.function = "";
    if (strcmp(name.file, "?") == 0)
        name.file = "";
    return name;
}

/* ---- the names of one entry ---- */

typedef void name_f(size_t i, const vmsk_name_t *name, void *arg);

static void by_symbol(size_t i, const void *pc, name_f *f, void *arg)
{
    uintptr_t distance;
    vmsk_name_t name = {vmsk_symbol(pc, &distance), "", 0, 0};
    if (name.function == NULL)
        name.function = "";
    f(i, &name, arg);
}

/* A line is handed on when the next one is there, since only that tells whether it is inlined:
 * how many lines, -1 when the helper is gone. */
static int by_helper(work_t *w, size_t i, name_f *f, void *arg)
{
    int lines = 0;
    vmsk_name_t name;
    for (;; lines++) {
        int gone = get_line(w) != 0, more = !gone && w->line[0] != '\0';
        if (lines > 0) {
            name = parse(w->held, more);
            f(i, &name, arg);
        }
        if (!more)
            return gone && lines == 0 ? -1 : lines;
        memcpy(w->held, w->line, sizeof(w->held));
    }
}

static int resolve(work_t *w, size_t i, const void *pc, name_f *f, void *arg)
{
    const vmsk_module_t *m;
    uintptr_t offset;
    int lines = 0;
    if (vmsk_place(pc, &m, &offset) == 0 && w->asking && m->path[0] == '/' &&
        strchr(m->path, '\n') == NULL) {
        lines = ask(w, m, offset) == 0 ? by_helper(w, i, f, arg) : -1;
        if (lines < 0)
            hang_up(w);
    }
    if (lines <= 0)
        by_symbol(i, pc, f, arg);
    return lines;
}

int vmsk_resolve(void *const *pcs, size_t n, unsigned millis, name_f *f, void *arg)
{
    size_t size = VMB_UP(sizeof(work_t), vmos_pagesize());
    int keep = errno, all;
    work_t *w = vmos_map(NULL, size, 0);
    if (w == NULL) {
        for (size_t i = 0; i < n; i++)
            by_symbol(i, pcs[i], f, arg);
        errno = keep;
        return -1;
    }
    call(w, millis);
    for (size_t i = 0; i < n; i++)
        resolve(w, i, pcs[i], f, arg);
    all = w->asking;
    hang_up(w);
    vmos_unmap(w, size);
    errno = keep;
    return all ? 0 : -1;
}

const char *vmsk_symbol(const void *pc, uintptr_t *distance)
{
    vmos_module_t m;
    uintptr_t addr = (uintptr_t)pc - 1, start;
    const char *name;
    int keep = errno;
    if (vmsk_module_note(&m, addr) < 0)
        return NULL;
    name = vmos_symbol_at(&m, addr, &start);
    errno = keep;
    if (name != NULL)
        *distance = addr - start;
    return name;
}
