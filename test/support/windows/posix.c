/* SPDX-License-Identifier: MIT */
/* What is not a line or two of posix.h and <sys/mman.h>. */
#include "posix.h"

#include <process.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <windows.h>
#include <psapi.h>

#undef read

int posix_read(int fd, void *to, unsigned n)
{
    HANDLE handle = (HANDLE)_get_osfhandle(fd);
    DWORD there = 0;
    if (GetFileType(handle) == FILE_TYPE_PIPE) {
        if (!PeekNamedPipe(handle, NULL, 0, NULL, &there, NULL))
            return 0; /* all that could write have closed it */
        if (there == 0) {
            errno = EAGAIN;
            return -1;
        }
    }
    return _read(fd, to, n);
}

int posix_pread(int fd, void *to, unsigned n, long from)
{
    return _lseek(fd, from, SEEK_SET) == from ? _read(fd, to, n) : -1;
}

void *mmap(void *addr, size_t size, int access, int flags, int fd, long from)
{
    void *p = VirtualAlloc(addr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    (void)access, (void)flags, (void)fd, (void)from;
    return p != NULL ? p : MAP_FAILED;
}

int munmap(void *addr, size_t size)
{
    (void)size;
    return VirtualFree(addr, 0, MEM_RELEASE) ? 0 : -1;
}

int mincore(void *addr, size_t size, unsigned char *in)
{
    size_t page = 4096;
    for (size_t i = 0; i < (size + page - 1) / page; i++) {
        PSAPI_WORKING_SET_EX_INFORMATION is;
        is.VirtualAddress = (char *)addr + i * page;
        if (!K32QueryWorkingSetEx(GetCurrentProcess(), &is, sizeof is))
            return -1;
        in[i] = is.VirtualAttributes.Valid;
    }
    return 0;
}

long sysconf(int what)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return what == _SC_PAGESIZE ? (long)info.dwPageSize : (long)info.dwNumberOfProcessors;
}

int kill(int pid, int signal)
{
    if (pid != _getpid())
        return -1;
    return TerminateProcess(GetCurrentProcess(), (UINT)signal) ? 0 : -1;
}

int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attributes, char *const *args,
                char *const *environment)
{
    (void)actions, (void)attributes, (void)environment;
    *pid = _spawnv(_P_NOWAIT, path, (const char *const *)args);
    return *pid == -1 ? errno : 0;
}

pid_t waitpid(pid_t pid, int *status, int flags)
{
    (void)flags;
    *status = 0;
    return pid > 0 && _cwait(status, pid, 0) == pid ? pid : -1;
}
