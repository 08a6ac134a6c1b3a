/* SPDX-License-Identifier: MIT */
/*
 * Images: regions that outlive their process.
 *
 * A committed image is a file.  vmimage() opens it as a region at the address that it was made for,
 * so that pointers into it stay good; the program works in memory of its own; vmcommit() makes all
 * that changed since the last commit part of the file, all or nothing, whatever crashes when.
 *
 * Unless said otherwise a function returns 0, or -1 with errno: EINVAL for a region that is no
 * committed image, EPERM in a child of the process that opened it, EIO once an image has failed (it
 * can be read, and no more committed).  Calls on one image are made one at a time by the library.
 */
#ifndef _VMALLOC_IMAGE_H
#define _VMALLOC_IMAGE_H 1

#include <vmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- opening ---- */

/* Vmimgopt_t.flags */
#define VM_IMGREAD 0001     /* only read: sees the last commit, next to a writer; stores into the
                               region stay in this process */
#define VM_IMGEXIST 0002    /* do not make a file that is not there */
#define VM_IMGNEW 0004      /* make it, and fail when it is there */
#define VM_IMGWAIT 0010     /* wait while another process writes, instead of failing with EBUSY */
#define VM_IMGTURNS 0020    /* take turns with other processes: see vmturn() */
#define VM_IMGCLOSE 0040    /* vmclose() commits; without it vmclose() drops what was not committed */
#define VM_IMGFOREIGN 0100  /* take a file that neither the user nor root owns */
#define VM_IMGNOTRACK 0200  /* find changed pages by their contents, without help of the system */
#define VM_IMGANYWHERE 0400 /* where its addresses are taken, open it at others: what the library keeps in
                               it, and roots, are moved; the program's own addresses in it are not: for
                               programs that keep offsets there (vmoff_t, vm::offset_ptr) */
#define VM_IMGCUT 01000     /* of a journal that is damaged in the middle take the commits before that, and drop
                               those behind it, instead of failing with EUCLEAN */

/* Vmimgopt_t.safety: what a commit that returned survives. */
#define VM_IMGPOWER 0   /* everything: it is on the disk */
#define VM_IMGPROCESS 1 /* the death of the process; after a loss of power a commit before it stands */
#define VM_IMGGROUP 2   /* as PROCESS, and at most `group` ms of commits are lost with power: the first
                           commit after that time, vmsync() and vmclose() wait for the disk */

/* All members 0 is the default; vmimage() copies what it needs. */
typedef struct _vmimgopt_s {
    Vmethod_t *meth;      /* NULL: Vmbest for a new image, else the method that it was made with */
    unsigned int flags;   /* VM_IMG... */
    int vmflags;          /* flags of vmopen(), as VM_SINGLE */
    int mode;             /* permissions of a new file, 0: 0600 */
    int safety;           /* VM_IMGPOWER, ... */
    unsigned int group;   /* milliseconds for VM_IMGGROUP, 0: 100 */
    size_t limit;         /* bytes that the region may grow to.  0: 64 GiB for a new image (less where
                             addresses are scarce), else as before; may be raised later */
    size_t journal;       /* bytes of journal after which changes are moved to their places, 0: chosen */
    Void_t *addr;         /* where a new image shall lie, rounded down to 1 GiB; NULL: chosen.  With
                             VM_IMGANYWHERE any image, if there is room; NULL: where it lay */
    char why[160];        /* set by vmimage(): "" or, in a sentence, why it failed */
} Vmimgopt_t;

/* Open the committed image at path, which is made when there is none.  options may be NULL.  Cost does
 * not depend on the size of the image; after a crash the journal is read.  NULL with errno:
 *   EBUSY       another process writes, or this process has it open
 *   EADDRINUSE  the addresses of the image are taken in this process (with VM_IMGANYWHERE: all are)
 *   EPROTO      not an image, or one of another version, word size, byte order, page size or method
 *   EUCLEAN     both headers are damaged, the file was cut, or a commit in the journal is damaged and later ones
 *               are there (to be read only, the commit before that is there)
 *   EPERM       the file belongs to another user
 *   ENOTSUP     nothing to go by: the system cannot do it; or the method cannot be moved to other addresses
 *   and those of open(2), read(2) and write(2); vmimagewhy() tells more. */
extern VM_API Vmalloc_t *vmimage(const char *path, Vmimgopt_t *options);

/* Copy the reason why the last vmimage() of the process that failed did so into buf of n bytes, as a
 * string.  Returns the length of the whole reason, 0: none failed yet. */
extern VM_API size_t vmimagewhy(char *buf, size_t n);

/* ---- committing ---- */

/* Make the region, as it is, the state that the next opening finds.  When it returns 0 that is done
 * as safety says; after -1 the last commit stands.  Other threads must not be inside calls on the
 * region, nor store into it, meanwhile: what they were about to write may be committed in part.
 * Costs what changed, not what is there; without changes nothing is written.  EROFS: read-only, or
 * not this process' turn; ENOSPC, EDQUOT, EFBIG (a file may not be that long: no SIGXFSZ): may be tried again. */
extern VM_API int vmcommit(Vmalloc_t *vm);

/* Tell (on 1) vmcommit() that the program will say itself, with vmstored(), where it stores in the size bytes at
 * addr, its own block or a part of one; on 0 ends that.  For large blocks that small commits change here and
 * there: the system is not asked about whole pages in there, nor is there a fault of a page for each, and a commit
 * costs half.  In return a store that was not told of is as if it were done later, when it is told of.  Must be
 * ended before the block is freed or resized; vmrollback() and vmturn() end all.  Not part of the image.  Other
 * threads must not store there meanwhile.  EINVAL also: not in the region; EROFS: as vmcommit(). */
extern VM_API int vmtell(Vmalloc_t *vm, Void_t *addr, size_t size, int on);
/* size bytes at addr were, or are about to be, stored, before the next commit; where vmtell() was not called that
 * need not be said, and does nothing.  Any thread may call it, but not while one calls vmcommit() or vmclose(). */
extern VM_API int vmstored(Vmalloc_t *vm, const Void_t *addr, size_t size);

/* One commit of several images, at most 16: all of them or none, whatever happens.  Until the first of them
 * is there again after a crash in the middle, the others may not open (ENOLINK). */
extern VM_API int vmcommitall(Vmalloc_t **vms, int n);

/* Wait until all commits are on the disk. */
extern VM_API int vmsync(Vmalloc_t *vm);

/* Put the region back to its last commit (an image opened with VM_IMGREAD: to the newest one in the
 * file).  Blocks allocated since are gone.  No other thread may use the region meanwhile. */
extern VM_API int vmrollback(Vmalloc_t *vm);

/* Close the region and drop what was not committed, whatever flags it was opened with: for an image with
 * VM_IMGCLOSE whose last commit cannot be made, which vmclose() leaves open, and for the child of a fork().
 * -1: EINVAL. */
extern VM_API int vmdrop(Vmalloc_t *vm);

/* Write the last commit as an image of its own to path, which is replaced when it is there. */
extern VM_API int vmsnapshot(Vmalloc_t *vm, const char *path);

/* Take (on 1) or end (on 0) a turn on an image opened with VM_IMGTURNS.  Taking waits for the others,
 * and shows what they committed; ending drops what was not committed.  Between turns the region must
 * not be touched at all.  A process that dies ends its turn. */
extern VM_API int vmturn(Vmalloc_t *vm, int on);

/* ---- roots: what a program finds again by name ----
 * They are part of the image, and committed with it. */

#define VM_ROOTNAME 72 /* longest name with its '\0' */
typedef struct _vmroot_s {
    char name[VM_ROOTNAME];
    Void_t *value;        /* as a rule the address of a block */
    unsigned long type;   /* the program's mark for what value points to */
    unsigned int version; /* and its version */
} Vmroot_t;

/* Set root name, which is made when it is not there.  ENAMETOOLONG; ENOSPC: there are 2000. */
extern VM_API int vmrootset(Vmalloc_t *vm, const char *name, Void_t *value, unsigned long type,
                            unsigned int version);
/* Its value, and all of it in *root unless NULL.  NULL with errno ENOENT: no such root (a root's value
 * may be NULL: errno is left alone then). */
extern VM_API Void_t *vmrootget(Vmalloc_t *vm, const char *name, Vmroot_t *root);
/* Remove it.  ENOENT. */
extern VM_API int vmrootdel(Vmalloc_t *vm, const char *name);
/* Call f for each root.  A negative value of f ends the walk and is returned; else the last. f may not
 * use roots. */
typedef int (*Vmroot_f)(Vmalloc_t *vm, const Vmroot_t *root, Void_t *handle);
extern VM_API int vmrootwalk(Vmalloc_t *vm, Vmroot_f f, Void_t *handle);

/* ---- what there is to know ---- */

/* How changed pages are found. */
#define VM_IMGUFFD 1 /* the system notes writes (Linux 6.7) */
#define VM_IMGMAP 2  /* the system tells which pages are private copies */
#define VM_IMGHASH 3 /* all contents are compared */

typedef struct _vmimgstat_s {
    unsigned long commits;    /* of the image, since it was made */
    unsigned long changed;    /* pages that the last commit wrote */
    unsigned long pages;      /* pages in the file */
    unsigned long journal;    /* bytes of journal not yet moved to their places */
    unsigned long checkpoints; /* times that was done since opening */
    unsigned long replayed;   /* commits that opening took from the journal */
    size_t pagesize;
    size_t limit;                  /* bytes that the region may grow to */
    Void_t *base;                  /* where it lies */
    int tier;                      /* VM_IMGUFFD, ... */
    int safety;                    /* VM_IMGPOWER, ... */
    int failed;                    /* errno of what the image failed with, 0: sound */
    Void_t *home;                  /* where it lies in the last commit: not at base until the first
                                      commit of an image that was moved, and in all readers of one */
} Vmimgstat_t;
extern VM_API int vmimgstat(Vmalloc_t *vm, Vmimgstat_t *st);

/* ---- whether the file is as it was written ----
 * The file has a sum of each page, which opening does not look at, for that would cost something for each
 * page.  Shared images have none. */

typedef struct _vmimgpage_s {
    Void_t *addr;  /* where the page lies when the image is open, */
    size_t size;   /* how long it is, */
    size_t offset; /* and where it is in the file */
    int wrong;     /* 1: it is not what was committed, or its sum is not; 0: a report of progress */
    size_t done, all; /* pages looked at, with this one, and how many there are */
} Vmimgpage_t;
typedef int (*Vmimgpage_f)(const Vmimgpage_t *page, Void_t *handle);

/* Read all pages of the last commit in the file at path, and call f (unless NULL) for each that has not its sum,
 * and with `wrong` 0 from time to time; a negative value of f ends that.  Nothing is mapped: addresses that are
 * taken and a damaged region are no hindrance; a process that writes may go on.  Returns how many pages are
 * wrong, or -1 with errno as vmimage() (EUCLEAN: also when the journal is damaged, and has later commits behind
 * that), or as f left it; vmimagewhy() tells more.  Any thread may call it. */
extern VM_API long vmimagecheck(const char *path, Vmimgpage_f f, Void_t *handle);

#ifdef __cplusplus
}
#endif
#endif
