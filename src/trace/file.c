/* SPDX-License-Identifier: MIT */
/*
 * file: the file that a trace goes into: its name, its lock, and chunks of it that are mapped.
 *
 *   chunk 0 (head) | chunk 1 | chunk 2 | ...       each mapped alone, by who writes into it
 *
 * The program may close our descriptor, and its number may become another file's: before each use
 * device and inode are compared, and the file is opened again by its name if need be.
 */
#include "trace.h"

#include <errno.h>
#include <string.h>

static vmos_lock_t lock;
static char given[VMTR_PATH]; /* as vmtracefile() got it */
static char path[VMTR_PATH];  /* of the file that is open */
static int fd = -1;
static uint64_t id[2];
static Vmtrhead_t *head; /* NULL: text, or none */
static uint64_t began;

/* The name with the process number in place of %p; own: also where there is no %p. */
static int name(int own)
{
    int seen = 0;
    vmb_out_t o;
    vmb_out_init(&o, path, sizeof path);
    for (const char *s = given; *s != '\0'; s++)
        if (s[0] == '%' && s[1] == 'p') {
            vmb_printf(&o, "%ld", vmos_pid());
            seen = 1;
            s++;
        } else {
            vmb_printf(&o, "%c", *s);
        }
    if (own && !seen)
        vmb_printf(&o, ".%ld", vmos_pid());
    if (o.len + 1 < sizeof path)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

static int makefile(int own)
{
    if (name(own) != 0)
        return -1;
    fd = vmos_file_own(path);
    if (fd < 0 && errno == EWOULDBLOCK && name(1) == 0)
        fd = vmos_file_own(path);
    return fd < 0 ? -1 : vmos_file_id(fd, id);
}

static int maphead(void)
{
    Vmtrhead_t *h = vmos_file_map(fd, 0, VM_TRCHUNK);
    if (h == NULL)
        return -1;
    memcpy(h->magic, VM_TRMAGIC, sizeof h->magic);
    h->version = VM_TRVERSION;
    h->order = VM_TRORDER;
    h->word = sizeof(void *);
    h->chunk = VM_TRCHUNK;
    h->pid = (unsigned long long)vmos_pid();
    began = vmos_nanotime();
    __atomic_store_n(&head, h, __ATOMIC_RELEASE);
    return 0;
}

static int begin(int binary, int own)
{
    int e;
    if (makefile(own) != 0)
        return -1;
    if (!binary || maphead() == 0)
        return 0;
    e = errno;
    vmos_file_close(fd);
    fd = -1;
    errno = e;
    return -1;
}

int vmtr_file_begin(const char *file, int binary)
{
    size_t n = strlen(file);
    if (n >= sizeof given) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(given, file, n + 1);
    return begin(binary, 0);
}

static int isours(void)
{
    uint64_t now[2];
    return fd >= 0 && vmos_file_id(fd, now) == 0 && now[0] == id[0] && now[1] == id[1];
}

/* The head stays mapped for threads that are in the middle of a record. */
void vmtr_file_end(void)
{
    Vmtrhead_t *h = head;
    vmos_lock(&lock);
    if (h != NULL)
        h->ended = 1;
    if (isours())
        vmos_file_close(fd);
    fd = -1;
    head = NULL;
    vmos_unlock(&lock);
}

int vmtr_file_forked(void)
{
    int binary = head != NULL;
    lock = (vmos_lock_t){0, 0};
    if (isours())
        vmos_file_close(fd);
    if (binary)
        vmos_unmap(head, VM_TRCHUNK);
    head = NULL;
    fd = -1;
    return begin(binary, 1);
}

int vmtr_file_fd(void)
{
    return fd;
}

Vmtrhead_t *vmtr_file_head(void)
{
    return __atomic_load_n(&head, __ATOMIC_ACQUIRE);
}

uint64_t vmtr_file_time(void)
{
    return vmos_nanotime() - began;
}

/* The descriptor may be another file's by now. */
static int reopen(void)
{
    if (isours())
        return 0;
    fd = vmos_file_again(path);
    if (isours())
        return 0;
    if (fd >= 0)
        vmos_file_close(fd);
    fd = -1;
    return -1;
}

void *vmtr_file_chunk(void)
{
    void *p = NULL;
    int e = errno;
    vmos_lock(&lock);
    if (head != NULL && reopen() == 0)
        p = vmos_file_map(fd, (head->chunks + 1) * VM_TRCHUNK, VM_TRCHUNK);
    if (p != NULL)
        head->chunks++;
    e = p != NULL ? e : errno;
    vmos_unlock(&lock);
    errno = e;
    return p;
}

/* The program ends in order; what its last destructors do is still written. */
__attribute__((destructor)) static void end(void)
{
    Vmtrhead_t *h = vmtr_file_head();
    if (h != NULL)
        h->ended = 1;
}
