/* SPDX-License-Identifier: MIT */
/*
 * Objects that processes map, on Windows: files, and memory that has a name, which is a file of the user's
 * folder for what is temporary.  What is a descriptor elsewhere is a handle here, of which the system uses 32
 * bits; the C runtime's descriptors are not taken (vmos_object_again()).
 *
 *   file     | what is in use | sparse: no room on the disk until stored to ...        |
 *   view     | mapped, all of it, by each process                                      |
 *                                                                                      size of the view
 *
 * A view ends where the file does, so the file is made as long as the view when it is mapped: sparse, so that it
 * takes no more room than before.  Making it longer is then no work.  What it cannot be, unlike elsewhere, is
 * a promise: the disk is asked for room once, and whoever stores when another program has taken that gets
 * an exception (EXCEPTION_IN_PAGE_ERROR).
 *
 * Locks are those of LockFileEx(), far behind any byte that is there.  They belong to a handle, and go when
 * it is closed, however its process ends.
 */
#include "os.h"

#include <errno.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#define PATHSIZE 320
#define LOCKS ((uint64_t)1 << 61)

static HANDLE handle(int fd)
{
    return (HANDLE)(intptr_t)fd;
}

/* -1 with the errno that a Unix would have. */
static int failed(void)
{
    static const struct {
        DWORD error;
        int e;
    } table[] = {
        {ERROR_FILE_NOT_FOUND, ENOENT},   {ERROR_PATH_NOT_FOUND, ENOENT},     {ERROR_INVALID_NAME, ENOENT},
        {ERROR_ACCESS_DENIED, EACCES},    {ERROR_SHARING_VIOLATION, EACCES},  {ERROR_WRITE_PROTECT, EROFS},
        {ERROR_INVALID_HANDLE, EBADF},    {ERROR_TOO_MANY_OPEN_FILES, EMFILE}, {ERROR_FILE_EXISTS, EEXIST},
        {ERROR_ALREADY_EXISTS, EEXIST},   {ERROR_DISK_FULL, ENOSPC},          {ERROR_HANDLE_DISK_FULL, ENOSPC},
        {ERROR_FILE_TOO_LARGE, EFBIG},    {ERROR_INVALID_ADDRESS, EEXIST},    {ERROR_LOCK_VIOLATION, EAGAIN},
        {ERROR_IO_PENDING, EAGAIN},       {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},  {ERROR_COMMITMENT_LIMIT, ENOMEM},
        {ERROR_USER_MAPPED_FILE, EBUSY},  {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
    };
    DWORD error = GetLastError();
    size_t i;
    for (i = 0; i < sizeof(table) / sizeof(*table) && table[i].error != error; i++)
        continue;
    errno = i < sizeof(table) / sizeof(*table) ? table[i].e : EIO;
    return -1;
}

/* ---- opening ---- */

/* Memory with a name. */
static int nameof(char *path, const char *name)
{
    static const char before[] = "vmalloc.shm.";
    size_t n = strlen(name), dir = GetTempPathA(MAX_PATH, path);
    if (n == 0 || n > PATHSIZE - MAX_PATH - sizeof(before) || strpbrk(name, "/\\:*?\"<>|") != NULL ||
        name[0] == '.' || dir == 0 || dir > MAX_PATH) {
        errno = EINVAL;
        return -1;
    }
    memcpy(path + dir, before, sizeof(before) - 1);
    memcpy(path + dir + sizeof(before) - 1, name, n + 1);
    return 0;
}

static HANDLE openfile(const char *path, DWORD how)
{
    return CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       NULL, how, FILE_ATTRIBUTE_NORMAL, NULL);
}

/* Who may use what is made is for its folder to say: permissions have no numbers here. */
int vmos_object_open(const char *path, int flags, unsigned mode)
{
    char name[PATHSIZE];
    HANDLE h;
    DWORD is;
    (void)mode;
    if (flags & VMOS_MEMORY) {
        if (nameof(name, path) != 0)
            return -1;
        path = name;
    }
    is = GetFileAttributesA(path);
    if (is != INVALID_FILE_ATTRIBUTES && is & FILE_ATTRIBUTE_DIRECTORY) {
        errno = EISDIR;
        return -1;
    }
    h = openfile(path, flags & VMOS_CREATE ? OPEN_ALWAYS : OPEN_EXISTING);
    if (h == INVALID_HANDLE_VALUE)
        return failed();
    if (GetFileType(h) == FILE_TYPE_DISK)
        return (int)(intptr_t)h;
    CloseHandle(h);
    errno = EINVAL;
    return -1;
}

int vmos_object_again(int fd)
{
    (void)fd;
    errno = ENOTSUP;
    return -1;
}

void vmos_object_close(int fd)
{
    CloseHandle(handle(fd));
}

/* ---- whose it is ---- */

#define SIDSIZE 512

/* What a token says of the process' user, or of who owns what it makes; NULL: it cannot be asked. */
static PSID tokens(TOKEN_INFORMATION_CLASS what, void *buf)
{
    HANDLE token;
    DWORD n;
    BOOL done;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return NULL;
    done = GetTokenInformation(token, what, buf, SIDSIZE, &n);
    CloseHandle(token);
    if (!done)
        return NULL;
    return what == TokenUser ? ((TOKEN_USER *)buf)->User.Sid : ((TOKEN_OWNER *)buf)->Owner;
}

static int istokens(PSID sid, TOKEN_INFORMATION_CLASS what)
{
    union {
        TOKEN_USER align;
        char bytes[SIDSIZE];
    } buf;
    PSID own = tokens(what, &buf);
    return own != NULL && EqualSid(sid, own);
}

/* vmos_uid(): this process'; 0: the system's or its administrators'; else another one's. */
static unsigned long owner(HANDLE h)
{
    union {
        SECURITY_DESCRIPTOR align;
        char bytes[SIDSIZE];
    } buf;
    DWORD n;
    BOOL inherited;
    PSID sid = NULL;
    if (!GetKernelObjectSecurity(h, OWNER_SECURITY_INFORMATION, &buf, sizeof(buf), &n) ||
        !GetSecurityDescriptorOwner(&buf, &sid, &inherited) || sid == NULL)
        return vmos_uid() + 1;
    if (istokens(sid, TokenUser) || istokens(sid, TokenOwner))
        return vmos_uid();
    if (IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinBuiltinAdministratorsSid))
        return 0;
    return vmos_uid() + 1;
}

int vmos_object_stat(int fd, vmos_object_t *out)
{
    BY_HANDLE_FILE_INFORMATION is;
    FILE_STANDARD_INFO more;
    if (!GetFileInformationByHandle(handle(fd), &is) ||
        !GetFileInformationByHandleEx(handle(fd), FileStandardInfo, &more, sizeof(more)))
        return failed();
    out->dev = is.dwVolumeSerialNumber;
    out->ino = (uint64_t)is.nFileIndexHigh << 32 | is.nFileIndexLow;
    out->size = (uint64_t)is.nFileSizeHigh << 32 | is.nFileSizeLow;
    out->uid = owner(handle(fd));
    out->named = is.nNumberOfLinks > 0 && !more.DeletePending;
    return 0;
}

int vmos_object_remove(const char *path, int flags)
{
    char name[PATHSIZE];
    if (flags & VMOS_MEMORY) {
        if (nameof(name, path) != 0)
            return -1;
        path = name;
    }
    return DeleteFileA(path) ? 0 : failed();
}

/* ---- what is in it ---- */

/* Free bytes of the disk that h is on; all there can be when it does not tell. */
static uint64_t room(HANDLE h)
{
    char path[PATHSIZE], *end;
    ULARGE_INTEGER bytes;
    DWORD n = GetFinalPathNameByHandleA(h, path, sizeof(path), VOLUME_NAME_DOS);
    if (n == 0 || n >= sizeof(path) || (end = strrchr(path, '\\')) == NULL)
        return UINT64_MAX;
    end[1] = '\0';
    return GetDiskFreeSpaceExA(path, &bytes, NULL, NULL) ? bytes.QuadPart : UINT64_MAX;
}

int vmos_object_grow(int fd, uint64_t from, uint64_t to)
{
    LARGE_INTEGER size;
    if (to <= from)
        return 0;
    if (room(handle(fd)) < to - from) {
        errno = ENOSPC;
        return -1;
    }
    if (!GetFileSizeEx(handle(fd), &size))
        return failed();
    return (uint64_t)size.QuadPart < to ? vmos_object_cut(fd, to) : 0;
}

int vmos_object_cut(int fd, uint64_t size)
{
    FILE_END_OF_FILE_INFO end;
    end.EndOfFile.QuadPart = (LONGLONG)size;
    return SetFileInformationByHandle(handle(fd), FileEndOfFileInfo, &end, sizeof(end)) ? 0 : failed();
}

/* Bytes of a file that is mapped are not given back. */
int vmos_object_punch(int fd, uint64_t from, uint64_t to)
{
    (void)fd, (void)from, (void)to;
    errno = ENOTSUP;
    return -1;
}

/* As much of n bytes at `at` as one call takes. */
static OVERLAPPED piece(uint64_t at)
{
    OVERLAPPED o;
    memset(&o, 0, sizeof(o));
    o.Offset = (DWORD)at;
    o.OffsetHigh = (DWORD)(at >> 32);
    return o;
}

#define MOST ((size_t)1 << 30)

int vmos_object_read(int fd, void *buf, size_t n, uint64_t from)
{
    char *p = buf;
    while (n > 0) {
        OVERLAPPED o = piece(from);
        DWORD done = 0;
        if (!ReadFile(handle(fd), p, (DWORD)(n < MOST ? n : MOST), &done, &o))
            return GetLastError() == ERROR_HANDLE_EOF ? 0 : failed();
        if (done == 0)
            return 0;
        p += done, n -= done, from += done;
    }
    return 0;
}

int vmos_object_write(int fd, const void *buf, size_t n, uint64_t to)
{
    const char *p = buf;
    while (n > 0) {
        OVERLAPPED o = piece(to);
        DWORD done = 0;
        if (!WriteFile(handle(fd), p, (DWORD)(n < MOST ? n : MOST), &done, &o) || done == 0)
            return failed();
        p += done, n -= done, to += done;
    }
    return 0;
}

/* ---- mapping ---- */

/* Where a file system has no sparse files, the bytes take the room they take. */
static int lengthen(int fd, size_t size)
{
    LARGE_INTEGER is;
    DWORD n;
    if (!GetFileSizeEx(handle(fd), &is))
        return failed();
    if ((uint64_t)is.QuadPart >= size)
        return 0;
    DeviceIoControl(handle(fd), FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &n, NULL);
    return vmos_object_cut(fd, size);
}

/* The view keeps the section, and the section the file. */
int vmos_object_map(int fd, void *addr, size_t size)
{
    HANDLE section;
    void *p;
    int r = 0;
    if (lengthen(fd, size) != 0)
        return -1;
    section = CreateFileMappingA(handle(fd), NULL, PAGE_READWRITE, (DWORD)((uint64_t)size >> 32), (DWORD)size, NULL);
    if (section == NULL)
        return failed();
    p = MapViewOfFileEx(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size, addr);
    if (p == NULL)
        r = failed();
    CloseHandle(section);
    return r;
}

int vmos_object_unmap(void *addr, size_t size)
{
    (void)size;
    return UnmapViewOfFile(addr) ? 0 : failed();
}

/* ---- locks ---- */

int vmos_object_lock(int fd, unsigned n, int wait)
{
    OVERLAPPED o = piece(LOCKS + n);
    DWORD flags = LOCKFILE_EXCLUSIVE_LOCK | (wait ? 0 : LOCKFILE_FAIL_IMMEDIATELY);
    return LockFileEx(handle(fd), flags, 0, 1, 0, &o) ? 0 : failed();
}

int vmos_object_unlock(int fd, unsigned n)
{
    OVERLAPPED o = piece(LOCKS + n);
    return UnlockFileEx(handle(fd), 0, 1, 0, &o) ? 0 : failed();
}

/* There is no asking: it is taken for a moment, together with others who ask. */
int vmos_object_locked(int fd, unsigned n)
{
    OVERLAPPED o = piece(LOCKS + n);
    if (LockFileEx(handle(fd), LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &o))
        return vmos_object_unlock(fd, n);
    if (GetLastError() == ERROR_LOCK_VIOLATION)
        return 1;
    return failed();
}
