#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What doc/coming-from.md tells to call can be called, and works: _coming.py SOURCE BUILD

Every call in the right column of a table becomes a piece of a program, with the variables that the page names, in
the state in which a reader has them.  A piece runs in a process of its own, and fails when a pointer is NULL, a
number negative, a comparison false, or an exception flies.  Left out are ellipses and command lines.
"""
import os
import re
import subprocess
import sys
import tempfile

LEAST = 100  # pieces, or the page is not read as it should be

# What a reader has; [a run of the piece begins with this] where the piece matches.
C_STATE = [
    (r'vm(root|commit|rollback|snapshot|sync|imgstat|turn)', 'Vmalloc_t *vm = vmimage(other, NULL);'),
    (r'vmm(value|release)', 'Vmalloc_t *vm = vmmshare(other, NULL);'),
    (r'vmmark|vmrelease', 'Vmalloc_t *vm = vmopen(Vmdcheap, Vmlast, 0);'),
    (r'', 'Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0);'),
]
C_ALSO = [
    (r'vmrootget', 'vmrootset(vm, "root", p, 0, 1), vmrootset(vm, name, p, 0, 1);'),
    (r'vmimagecheck', 'vmclose(vmimage(path, NULL));'),
    (r'vmmshare.*options', 'return 0; /* only compiled: its name would be that of others, too */'),
    (r'vmcommitall', 'n = 1;'),
    (r'figures', 'Vmimgstat_t figures;'),
    (r'vmturn', '(void)vmclose(vm), options.flags = VM_IMGTURNS, vm = vmimage(other, &options);'),
    (r'vmdcfree', 'disc = vmdclimit(Vmdcsystem, 0, 1 << 20, NULL, NULL);'),
]
C_HEAD = r'''
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/debug.h>
#include <vmalloc/discipline.h>
#include <vmalloc/image.h>
#include <vmalloc/method.h>
#include <vmalloc/profile.h>
#include <vmalloc/share.h>
#include <vmalloc/stat.h>
#define COPY (VM_RSMOVE | VM_RSCOPY)
#define N 8192
typedef struct { int field[4]; } T;
static const char path[] = "one.img", other[] = "other.img";
static int isint(int x) { return x >= 0; }
static int islong(long x) { return x >= 0; }
static int isptr(const void *p) { return p != NULL; }
static int issize(size_t n) { (void)n; return 1; }
#define GOOD(x) _Generic((x), int: isint, long: islong, long long: islong, unsigned: issize, \
    unsigned long: issize, default: isptr)(x)
static int f(Vmalloc_t *vm, Void_t *p, size_t n, int busy, Void_t *handle)
{
    (void)vm, (void)p, (void)n, (void)busy, (void)handle;
    return 0;
}
'''
C_VARIABLES = r'''
    static _Alignas(64) char buf[2 * N], m[N], *buffer = buf, *start = buf;
    static const char *file = path, *name = "name", *s = "text";
    Vmalloc_t *parent = vmopen(Vmdcheap, Vmbest, 0), *child = parent;
    size_t n = N, size = N, a = 64, alignment = 64, pagesize = 0, soft = 0, hard = 1 << 20;
    int fallback = VM_HUGEANY, mode = VM_NUMAPREFER, flags = 0;
    unsigned key = 7, version = 1;
    unsigned long nodes = 1, type = 0;
    Vmdisc_t *under = Vmdcsystem, *disc = Vmdcsystem;
    Vmethod_t *meth = Vmbest;
    Vmstat_t st;
    void *arg = NULL, *handle = NULL;
    Vmwarn_f warnf = NULL;
    char *p = vmalloc(vm, 2 * N);
    void *mark = vmmark(vm);
    Vmalloc_t *vms[] = {vm};
    OPTIONS options = {0};
    (void)buffer, (void)start, (void)m, (void)path, (void)file, (void)name, (void)s, (void)child;
    (void)n, (void)size, (void)a, (void)alignment, (void)pagesize, (void)soft, (void)hard, (void)fallback;
    (void)mode, (void)flags, (void)key, (void)version, (void)nodes, (void)type, (void)under, (void)disc;
    (void)meth, (void)st, (void)arg, (void)handle, (void)warnf, (void)p, (void)mark, (void)vms, (void)options;
'''
C_MAIN = r'''
int main(void)
{
    static const struct { int (*run)(void); const char *text; } pieces[] = {PIECES};
    int failed = 0, status;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        unlink("one.img"), unlink("other.img");
        if (fork() == 0) {
            alarm(60);
            errno = 0;
            _exit(pieces[i].run());
        }
        wait(&status);
        if (status != 0)
            printf("doc/coming-from.md: %s: ended with %#x\n", pieces[i].text, (unsigned)status), failed = 1;
    }
    return failed;
}
'''
CXX_HEAD = r'''
#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>
#include <vmalloc/discipline.h>
#include <vmalloc/managed.hpp>
#include <vmalloc/vmalloc.hpp>
struct T { int field[4]; };
static const char path[] = "one.img", from[] = "other.img", to[] = "copy.img";
static const std::size_t n = 8192, size = 1 << 26;
alignas(64) static char buf[n];
'''
CXX_ALSO = [
    (r'\bm\.', 'vm::managed_image m(vm::open_or_create, path, size);'),
    (r'^(?!.*region g).*(\bg\.|\{g\})', 'vm::region g{Vmdcheap, Vmbest};'),
    (r'open_read_only, from', '{ vm::managed_image first(vm::create_only, from, size); }'),
    (r'^unlink', '{ vm::managed_image first(vm::create_only, path, size); }'),
    (r'p\.get\(\)', 'vm::offset_ptr<char> p{buf};'),
]


def snippets(page):
    """The calls of the right columns, each once for a section: (section, text)."""
    section, seen = None, set()
    for line in page.splitlines():
        if line.startswith('## '):
            section = line[3:]
        cells = re.split(r'(?<!\\)\|', line.strip())[1:-1] if line.startswith('|') else []
        for text in re.findall(r'`([^`]*)`', cells[1]) if len(cells) == 2 else []:
            text = text.replace('\\|', '|')
            call = re.search(r'\w\(.*\)|\w\{.*\}', text) and not re.search(r'\.\.\.', text)
            if call and (section, text) not in seen:
                seen.add((section, text))
                yield section, text


def first(rules, text):
    return next(state for pattern, state in rules if re.search(pattern, text))


def every(rules, text):
    return ' '.join(state for pattern, state in rules if re.search(pattern, text))


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def c_program(texts):
    out = [C_HEAD]
    for i, text in enumerate(texts):
        options = 'Vmshare_t' if 'vmmshare' in text else 'Vmimgopt_t'
        test = (f'({text}) != 0' if re.search(r'[=>]= ', text) else
                f'({text}, 1)' if 'vmmrelease' in text else f'GOOD({text})')
        out.append(f'static int piece{i}(void)\n{{\n    {first(C_STATE, text)}'
                   f'{C_VARIABLES.replace("OPTIONS", options)}    {every(C_ALSO, text)}\n    return !({test});\n}}\n')
    table = ', '.join(f'{{piece{i}, {quoted(text)}}}' for i, text in enumerate(texts))
    return ''.join(out) + C_MAIN.replace('PIECES', table)


def cxx_program(texts):
    out = [CXX_HEAD]
    for i, text in enumerate(texts):
        out.append(f'static int piece{i}()\n{{\n    {every(CXX_ALSO, text)}\n    {text.rstrip(";")};\n    return 0;\n}}\n'
                   f'static int guarded{i}()\ntry {{ return piece{i}(); }}\n'
                   'catch (const std::exception &e) { std::printf("%s\\n", e.what()); std::fflush(stdout); return 1; }\n')
    table = ', '.join(f'{{guarded{i}, {quoted(text)}}}' for i, text in enumerate(texts))
    return ''.join(out) + C_MAIN.replace('PIECES', table).replace('int main(void)', 'int main()')


def run(command, folder):
    env = {k: v for k, v in os.environ.items() if not k.startswith(('VM', 'LD_'))}
    done = subprocess.run(command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout[:4000])
    return done.returncode == 0


def main(source, build):
    with open(os.path.join(source, 'doc/coming-from.md')) as file:
        pieces = list(snippets(file.read()))
    cxx = [text for _, text in pieces if re.search(r'\bvm::|^[gmpr]\.|^unlink', text)]
    c = list(dict.fromkeys(text for _, text in pieces if text not in cxx))
    if len(pieces) < LEAST or len(cxx) < 8:
        print(f'doc/coming-from.md: only {len(pieces)} calls were found')
        return 1
    include, library = f'-I{source}/include', f'{build}/libvmalloc.a'
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name, text, compiler in (('c', c_program(c), ['cc', '-std=gnu11', '-Wall', '-Wno-unused-value', '-Werror']),
                                     ('cpp', cxx_program(list(dict.fromkeys(cxx))),
                                      ['c++', '-std=c++17', '-Wall', '-Wno-unused'])):
            with open(os.path.join(folder, 'pieces.' + name), 'w') as file:
                file.write(text)
            command = compiler + ['-O0', include, 'pieces.' + name, library, '-pthread', '-o', name + '.out']
            good = run(command, folder) and run(['./' + name + '.out'], folder) and good
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2]))
