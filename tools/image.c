/* SPDX-License-Identifier: MIT */
/*
 * vmalloc image: looks at, checks and tends regions that lie in files.  Commands that only look open a
 * committed image for reading, next to a program that writes it, and at other addresses when its own are taken.
 * Those that write do not: a program may have addresses of its own in it, which would be wrong then.
 */
#include "image.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct request {
    const char *file, *to;
    int json, contents, drop;
} request_t;

/* ---- opening and closing ---- */

int image_status(int e)
{
    return e == EUCLEAN ? IMAGE_DAMAGED : e == EPROTO ? TOOL_USAGE : TOOL_CANNOT;
}

static int kind_of(const char *path, int *shared)
{
    char magic[8] = "";
    FILE *f = fopen(path, "rb");
    struct stat st;

    if (f == NULL)
        return tool_fail(TOOL_CANNOT, "%s: %s", path, strerror(errno));
    if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(f);
        return tool_fail(TOOL_USAGE, "%s: is a directory, not an image", path);
    }
    *shared = fread(magic, 1, sizeof magic, f) == sizeof magic && memcmp(magic, "vmshare\n", 8) == 0;
    fclose(f);
    return 0;
}

int image_figures(image_t *image)
{
    int r = vmstat(image->vm, &image->stat);

    r |= image->shared ? vmmshstat(image->vm, &image->shstat) : vmimgstat(image->vm, &image->imgstat);
    return r == 0 ? 0 : tool_fail(TOOL_CANNOT, "%s: %s", image->path, strerror(errno));
}

int image_open(image_t *image, const char *path, unsigned flags)
{
    const char *why;
    int status;

    memset(image, 0, sizeof *image);
    image->path = path;
    status = kind_of(path, &image->shared);
    if (status != 0)
        return status;
    if (image->shared) {
        image->share.flags = VM_SHEXIST;
        image->vm = vmmshare(path, &image->share);
    } else {
        image->committed.flags = VM_IMGEXIST | flags | (flags & VM_IMGREAD ? VM_IMGANYWHERE : 0);
        image->vm = vmimage(path, &image->committed);
    }
    why = image->shared ? image->share.why : image->committed.why;
    if (image->vm == NULL) /* reasons begin with the path */
        return tool_fail(image_status(errno), "%s%s%s", strncmp(why, path, strlen(path)) == 0 ? "" : path,
                         strncmp(why, path, strlen(path)) == 0 ? "" : ": ", why);
    return image_figures(image);
}

int image_close(image_t *image)
{
    return vmclose(image->vm) == 0
               ? 0
               : tool_fail(TOOL_CANNOT, "%s: it does not close: %s", image->path, strerror(errno));
}

/* ---- what the commands do ---- */

static int do_info(image_t *image, const request_t *want)
{
    return image_info(image, want->json);
}

static int do_check(image_t *image, const request_t *want)
{
    return image_check(image, want->json);
}

static int do_dump(image_t *image, const request_t *want)
{
    return image_dump(image, want->contents);
}

static size_t ondisk(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (size_t)st.st_blocks * 512 : 0;
}

static int do_compact(image_t *image, const request_t *want)
{
    size_t before = ondisk(want->file);
    int status;

    if (vmcompact(image->vm) != 0 || (!image->shared && vmcommit(image->vm) != 0))
        return tool_fail(TOOL_CANNOT, "%s: %s", want->file, strerror(errno));
    status = image_close(image);
    image->vm = NULL;
    if (status == 0)
        printf("%s: %zu KiB on the disk, %zu before\n", want->file, ondisk(want->file) / 1024,
               before / 1024);
    return status;
}

static int do_snapshot(image_t *image, const request_t *want)
{
    if (image->shared)
        return tool_fail(TOOL_USAGE, "%s: is a shared image: copy it while nobody uses it", want->file);
    if (vmsnapshot(image->vm, want->to) != 0)
        return tool_fail(TOOL_CANNOT, "%s: %s", want->to, strerror(errno));
    return 0;
}

static int tell_lost(Vmalloc_t *vm, Void_t *addr, size_t size, Void_t *handle)
{
    const request_t *want = handle;

    printf("%s: block of %zu bytes at %p was allocated by a process that died%s\n", want->file, size,
           addr, want->drop ? ": freed" : "");
    return want->drop ? vmfree(vm, addr) == 0 : 0;
}

/* Opening has done it: what is left is to say so. */
static int do_recover(image_t *image, const request_t *want)
{
    if (image->shared) {
        vmmlost(image->vm, tell_lost, (Void_t *)want);
        printf("%s: %lu calls of processes that died were undone\n", want->file, image->shstat.died);
    } else {
        printf("%s: commit %lu; %lu commits came from the journal\n", want->file, image->imgstat.commits,
               image->imgstat.replayed);
    }
    return image_check(image, 0);
}

static const struct command {
    const char *name;
    int (*run)(image_t *image, const request_t *want);
    int readonly, files, sums;
    const char *what;
} commands[] = {
    {"info", do_info, 1, 1, 0, "what it is, its roots, its figures, a picture of how full it is"},
    {"check", do_check, 1, 1, 1, "look at every structure and every page; say what is wrong and where"},
    {"dump", do_dump, 1, 1, 0, "list all blocks; with --contents their bytes"},
    {"compact", do_compact, 0, 1, 0, "give free memory back to the file system"},
    {"snapshot", do_snapshot, 1, 2, 0, "write the last commit to file TO, as an image of its own"},
    {"recover", do_recover, 0, 1, 0, "do what opening after a crash does, and check; --drop frees blocks\n"
                                  "           that processes allocated last before they died, and drops\n"
                                  "           commits behind a damaged one"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

/* ---- the command line ---- */

static void print_help(void)
{
    size_t i;

    puts("Usage: vmalloc image COMMAND [OPTION]... FILE [TO]\n"
         "Look at, check and tend an image: a region in a file, as vmimage(3) and vmmopen(3) make it.\n");
    for (i = 0; i < COMMANDS; i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].what);
    puts("\n  --json     info, check: for scripts\n"
         "\nExit status: 0 sound, 1 damaged, 2 no image or a wrong command line, 126 it cannot be opened.");
}

static const struct command *find(const char *name)
{
    size_t i;

    for (i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, request_t *want)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'j'},
                                          {"contents", no_argument, NULL, 'c'},
                                          {"drop", no_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static char name[] = "vmalloc image";
    int c;

    argv[0] = name;
    while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        want->json |= c == 'j';
        want->contents |= c == 'c';
        want->drop |= c == 'd';
        if (c == 'h')
            return print_help(), 0;
        if (c == '?')
            return TOOL_USAGE;
    }
    return -1;
}

/* Seconds after which it is sure that a damaged structure is walked in circles. */
static unsigned patience(const image_t *image)
{
    return 60 + 20 * (unsigned)(image->stat.extent >> 30);
}

/* Wrong pages, before anything is opened: 0, or the exit status when opening makes no sense. */
static int look_at_pages(const request_t *want, image_pages_t *pages)
{
    int shared = 0, status = kind_of(want->file, &shared);

    if (status == 0 && !shared)
        status = image_sums(want->file, pages, want->json);
    return status == IMAGE_DAMAGED && pages->n > 0 ? 0 : status;
}

static int work(const struct command *command, const request_t *want)
{
    static image_pages_t pages;
    image_t image;
    int status = command->sums ? look_at_pages(want, &pages) : 0;

    if (status != 0)
        return status;
    alarm(20);
    status = image_open(&image, want->file, command->readonly ? VM_IMGREAD : want->drop ? VM_IMGCUT : 0);
    if (image.vm == NULL) {
        if (pages.n > 0 && want->json)
            printf("{\"sound\":false,\"faults\":0,\"pages\":%zu,\"blocks\":0,\"bytes\":0}\n", pages.n);
        return pages.n > 0 ? IMAGE_DAMAGED : status;
    }
    image.pages = command->sums && !image.shared ? &pages : NULL;
    if (image.pages != NULL)
        image_move_pages(&image, &pages);
    alarm(patience(&image));
    if (status == 0)
        status = command->run(&image, want);
    if (image.vm != NULL && image_close(&image) != 0 && status == 0)
        status = TOOL_CANNOT;
    return status;
}

/* In a process of its own: in a damaged image pointers lead anywhere, and that it faults is an answer. */
static int work_apart(const struct command *command, const request_t *want)
{
    int state = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        state = work(command, want);
        _exit(fflush(stdout) == 0 ? state : TOOL_CANNOT);
    }
    if (child < 0 || waitpid(child, &state, 0) < 0)
        return tool_fail(TOOL_CANNOT, "%s", strerror(errno));
    if (WIFEXITED(state))
        return WEXITSTATUS(state);
    printf("%s: DAMAGED: what it holds leads %s\n", want->file,
           WTERMSIG(state) == SIGALRM ? "in circles" : "astray");
    return IMAGE_DAMAGED;
}

int tool_image(int argc, char **argv)
{
    const struct command *command;
    request_t want = {0};
    int status = parse(argc, argv, &want);

    if (status >= 0)
        return status;
    command = optind < argc ? find(argv[optind]) : NULL;
    if (command == NULL)
        return tool_fail(TOOL_USAGE, "image: one of its commands is wanted; see \"vmalloc image --help\"");
    if (argc - optind - 1 != command->files)
        return tool_fail(TOOL_USAGE, "image %s: %s wanted; see \"vmalloc image --help\"", command->name,
                         command->files == 1 ? "one file is" : "two files are");
    want.file = argv[optind + 1];
    want.to = command->files > 1 ? argv[optind + 2] : NULL;
    return work_apart(command, &want);
}
