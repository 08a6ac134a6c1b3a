#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""detect: what each tool finds of the crimes in test/debug, and what it costs.

detect.py crimes BUILD [NAME ...]   a table: errors found by kind, and false reports on the correct twins;
                                    the lines behind it go to standard error
detect.py cost BUILD [NAME ...]     a table: processor time and memory of programs under each tool

Each crime is compiled plainly (and with -fsanitize=address for that column), and runs under each tool that
is installed.  A tool names the error if its output says what the crime is; it finds it if its output says
something else, or the process ends by a signal, or by the status that the tool was asked for; else it misses
it.  Crimes on regions are left out: nobody else knows regions.
"""
import concurrent.futures
import glob
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CRIMES = os.path.join(ROOT, "test/debug/crimes")
LONGEST = 25  # seconds for a program
FOUND = 86  # the status that tools are asked for

# A kind of crime: its name, what the head of its source says, and what others call it.
KINDS = [
    ("write behind a block", r"write past", r"Invalid write.*(bytes after a block|block of size [\d,]+ alloc)|unaddressable.*bytes after a block|heap-buffer-overflow.*WRITE"),
    ("read behind a block", r"read past", r"Invalid read.*(bytes after a block|block of size [\d,]+ alloc)|heap-buffer-overflow.*READ"),
    ("access before a block", r"before the start", r"bytes before a block|heap-buffer-overflow.*(before|left of)"),
    ("use after free", r"use after free", r"Invalid (read|write).*free'd|heap-use-after-free"),
    ("double free", r"double free|freed before",
     r"Invalid free.*free'd|double.free|memory already freed|invalid chunk state|race on chunk"),
    ("free of what is no block", r"not a block",
     r"Invalid free|attempting free on address|invalid pointer|misaligned pointer|bad-free|not from DUMA"
     r"|not from malloc|called before first malloc"),
    ("wrong delete or free", r"wrong family|wrong size|wrong alignment",
     r"Mismatched free|dealloc-mismatch|new-delete-type-mismatch|type mismatch|size mismatch|sized delete"),
    ("block lost", r"leak:", r"definitely lost|detected memory leaks|alloc: .* not freed|memory leak"),
    ("impossible size or alignment", r"size overflow|impossible alignment",
     r"fishy|-overflow|allocation-size-too-big|invalid-\S*alignment|overflow in calloc|calloc parameters"
     r"|exceeds maximum|invalid alignment"),
    ("value never written", r"never written", r"[Uu]se of uninitialised|use-of-uninit"),
]


def find(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            return path
    return None


class Tool:
    """A way to run a program: words before it, environment, which build of it, how to know its voice."""

    def __init__(self, name, version, before=(), env=None, build="plain", says=None):
        self.name, self.version, self.before = name, version, list(before)
        self.env, self.build, self.says = env or {}, build, says


def version(command, pattern=r"(\d+\.\d[\d.]*)"):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    match = re.search(pattern, out.stdout + out.stderr)
    return match.group(1) if match else ""


def package(name):
    return version(["dpkg-query", "-W", "-f", "${Version}", name], r"(\S+)")


def tools(build):
    library = os.path.join(build, "libvmalloc-malloc.so")
    glibc = platform.libc_ver()[1]
    ours = r"^vmalloc\(\d+\): (?!leaks:)"
    said = [Tool("none", "glibc " + glibc, says=r"free\(\)|malloc\(\)|realloc\(\)|munmap_chunk|corrupt")]
    for name, options in (("fence", "1"), ("guard", "guard")):
        said.append(Tool("vmalloc " + name, "this tree", says=ours, env={
            "LD_PRELOAD": library, "VMALLOC_TOOL": "/none", "VMDEBUG": f"{options},exitcode={FOUND}"}))
    if shutil.which("valgrind"):
        said.append(Tool("memcheck", "valgrind " + version(["valgrind", "--version"]), says=r"==\d+== (Invalid|"
                         r"Mism|Use of|Cond|Source and|Argument|Syscall|Process term)|definitely lost", before=[
                             "valgrind", "-q", "--leak-check=full", "--show-mismatched-frees=yes",
                             "--errors-for-leak-kinds=definite", f"--error-exitcode={FOUND}"]))
    said.append(Tool("ASan", "gcc " + version(["gcc", "-dumpfullversion"]), build="asan",
                     says=r"AddressSanitizer|LeakSanitizer",
                     env={"ASAN_OPTIONS": f"exitcode={FOUND}:detect_leaks=1:alloc_dealloc_mismatch=1"}))
    fence = find("/usr/lib/libefence.so.0", "/usr/lib/*/libefence.so.0")
    if fence:
        said.append(Tool("Electric Fence", package("electric-fence"), says=r"ElectricFence (Abort|Exit)",
                         env={"LD_PRELOAD": fence, "EF_ALLOW_MALLOC_0": "1"}))
    duma = find("/usr/lib/libduma.so.0", "/usr/lib/*/libduma.so.0")
    if duma:
        said.append(Tool("DUMA", package("duma"), says=r"DUMA Aborting",
                         env={"LD_PRELOAD": duma, "DUMA_ALLOW_MALLOC_0": "1"}))
    scudo = find("/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-%s.so" % platform.machine())
    if scudo:
        said.append(Tool("Scudo", "LLVM " + scudo.split("/clang/")[1].split("/")[0], says=r"Scudo ERROR",
                         env={"LD_PRELOAD": scudo, "SCUDO_OPTIONS": "dealloc_type_mismatch=1:"
                              "delete_size_mismatch=1:quarantine_size_kb=4096:"
                              "thread_local_quarantine_size_kb=256:quarantine_max_chunk_size=65536"}))
    check = find("/usr/lib/*/libc_malloc_debug.so.0", "/lib/*/libc_malloc_debug.so.0")
    if check:
        said.append(Tool("MALLOC_CHECK_=3", "glibc " + glibc, says=r"free\(\)|malloc|realloc\(\)|munmap_chunk",
                         env={"LD_PRELOAD": check, "MALLOC_CHECK_": "3"}))
    return said


def run(tool, argv, timeout=120, stdin=None):
    """Status (negative: signal), output, processor seconds, peak KiB."""
    env = dict(os.environ, LC_ALL="C")
    env.pop("LD_PRELOAD", None)
    env.update({k: v for k, v in tool.env.items() if k != "LD_PRELOAD"})
    words = tool.before + argv
    if "LD_PRELOAD" in tool.env:  # not for what stands before the program
        words = ["/usr/bin/env", "LD_PRELOAD=" + tool.env["LD_PRELOAD"]] + words
    with tempfile.TemporaryFile() as out, open(stdin or os.devnull, "rb") as given:
        with subprocess.Popen(["timeout", "-s", "KILL", str(timeout)] + words, stdin=given, stdout=out, stderr=out,
                              env=env, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))) as p:
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    code = p.returncode
    return (code - 128 if code < 0 or code <= 128 else 128 - code) if code > 128 else code, text, \
        usage.ru_utime + usage.ru_stime, usage.ru_maxrss


# ---- crimes ----

def head(source):
    """What it says of itself, of the first level named."""
    with open(source, encoding="utf-8") as f:
        return re.findall(r"^/\* (?:fence|guard|below|both)(?: \d+)?: (.*) \*/$", f.read(), re.M)[0]


def compile_crime(source, build, to):
    compiler = "g++" if source.endswith("pp") else "gcc"
    words = [compiler, "-O0", "-g", "-w", "-fno-builtin", "-pthread", "-o", to, source]
    if compiler == "g++":
        words += ["-std=c++17", "-fsized-deallocation"]
    with open(source, encoding="utf-8") as f:
        if "flags: _library" in f.read():
            words.append(os.path.join(CRIMES, "_library.c"))
    if build == "asan":
        words.append("-fsanitize=address")
    subprocess.run(words, check=True)


def verdict(tool, argv, kind):
    """named, found, missed."""
    code, text, _, _ = run(tool, argv)
    flat = re.sub(r"==\d+==|\n", " ", text)
    name, ours, others = kind
    spoke = re.search(tool.says, text, re.M)
    if spoke and (re.search(ours, flat) if tool.name.startswith("vmalloc") else re.search(others, flat)):
        return "named"
    return "found" if spoke or code == FOUND or code < 0 else "missed"


def examine(source, said, work):
    base = os.path.basename(source)
    kind = next(k for k in KINDS if re.search(k[1], head(source)))
    result = {}
    for build in {t.build for t in said}:
        compile_crime(source, build, os.path.join(work, base + "." + build))
    for tool in said:
        program = os.path.join(work, base + "." + tool.build)
        result[tool.name] = verdict(tool, [program], kind), verdict(tool, [program, "right"], kind) != "missed"
    return base, kind[0], result


def crimes(build, names):
    said = tools(build)
    sources = [s for s in sorted(glob.glob(CRIMES + "/[!_]*.c*"))
               if "include <vmalloc" not in open(s, encoding="utf-8").read()
               and (not names or os.path.basename(s).split(".")[0] in names)]
    table = {k[0]: {t.name: [0, 0, 0] for t in said} for k in KINDS}
    wrong = {t.name: 0 for t in said}
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for base, kind, result in pool.map(lambda s: examine(s, said, work), sources):
            for name, (what, alarm) in result.items():
                counts = table[kind][name]
                counts[0] += 1
                counts[1] += what == "named"
                counts[2] += what != "missed"
                wrong[name] += alarm
            print(base, ", ".join(f"{n}: {w}{'; FALSE REPORT' if a else ''}" for n, (w, a) in result.items()),
                  file=sys.stderr)
    versions(said)
    print("| kind | of | " + " | ".join(t.name for t in said) + " |\n|---|--:" + "|--:" * len(said) + "|")
    for kind, row in table.items():
        total = max(c[0] for c in row.values())
        if total:
            print(f"| {kind} | {total} | " + " | ".join(shown(row[t.name]) for t in said) + " |")
    sums = {t.name: [sum(row[t.name][i] for row in table.values()) for i in range(3)] for t in said}
    print(f"| **all** | {len(sources)} | " + " | ".join(shown(sums[t.name]) for t in said) + " |")
    print("| false reports on the twins | | " + " | ".join(str(wrong[t.name]) for t in said) + " |")


def shown(counts):
    return str(counts[1]) if counts[1] == counts[2] else f"{counts[1]} + {counts[2] - counts[1]}"


# ---- cost ----

def programs(work):
    """name: (arguments, standard input, source or None)"""
    bench = os.path.join(ROOT, "bench/workloads")
    text = os.path.join(work, "in.i")
    sql, py, pl = (os.path.join(work, n) for n in ("in.sql", "in.py", "in.pl"))
    with open(py, "w", encoding="utf-8") as f:
        f.write("import json\nd = [{'a': i, 'b': str(i), 'c': [i] * 5} for i in range(30000)]\n"
                "x = {}\nfor r in json.loads(json.dumps(d)): x.setdefault(r['b'][-2:], []).append(r)\n")
    with open(pl, "w", encoding="utf-8") as f:
        f.write('my %h; push @{$h{"k".($_ % 50000)}}, "v$_" for 1..200000; my $n = 0;\n'
                '$n += length join ",", @{$h{$_}} for sort keys %h;\n')
    with open(sql, "w", encoding="utf-8") as f:
        f.write("create table t(a integer primary key, b text);\nwith recursive n(i) as (select 1 union all "
                "select i+1 from n where i < 100000) insert into t select i, 'text'||i from n;\n"
                "create index ti on t(b); select count(*) from t where b like '%7%';\n")
    with open(os.path.join(work, "in.c"), "w", encoding="utf-8") as f:
        f.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n")
        f.writelines(f"int f{i}(int a, char *s) {{ int r = 0; for (int k = 0; k < a; k++) r += s[k] * {i} ^ "
                     f"strlen(s + k); printf(\"%d\", r); return r ? r : abs(a); }}\n" for i in range(150))
    subprocess.run(["gcc", "-E", "-o", text, os.path.join(work, "in.c")], check=True)
    compiler = version(["gcc", "-print-prog-name=cc1"], r"(\S+)")
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    return {
        "factor": (["1000000000100000000002379"], None, os.path.join(bench, "factor.c")),
        "larson": (["2"], None, os.path.join(bench, "larson.c")),
        "minimise": (["4"], None, os.path.join(bench, "minimise.c")),
        "python3": ([python, py], None, None),
        "perl": (["perl", pl], None, None),
        "sqlite3": (["sqlite3", ":memory:"], sql, None),
        "cc1 -O2": ([compiler, "-quiet", "-O2", text, "-o", os.devnull], None, None),
    }


def cost(build, names):
    said = tools(build)
    print("| program | " + " | ".join(t.name for t in said) + " |\n|---" + "|--:" * len(said) + "|")
    plain = Tool("vmalloc", "this tree", env={"LD_PRELOAD": os.path.join(build, "libvmalloc-malloc.so")})
    with tempfile.TemporaryDirectory() as work:
        for name, (argv, stdin, source) in programs(work).items():
            if names and name.split()[0] not in names:
                continue
            base, cells = {}, []
            for tool in [plain] + said:
                words = argv
                if source:
                    program = os.path.join(work, name + "." + tool.build)
                    extra = ["-fsanitize=address"] if tool.build == "asan" else []
                    subprocess.run(["gcc", "-O2", "-pthread", "-w", "-o", program, source, "-lm"] + extra, check=True)
                    words = [program] + argv
                elif tool.build == "asan":  # only what is compiled for it
                    cells.append("-")
                    continue
                runs = [run(tool, words, LONGEST, stdin)]
                while len(runs) < 5 and runs[-1][2] < 1:  # what is short is repeated
                    runs.append(run(tool, words, LONGEST, stdin))
                ok = [r for r in runs if r[0] == 0 or re.search(tool.says or "^$", r[1], re.M)]
                if not ok:
                    cells.append("too long" if runs[0][0] == -9 else "fails")
                    continue
                time, size = min(r[2] for r in ok), min(r[3] for r in ok)
                base.setdefault("t", time), base.setdefault("m", size)
                if tool is not plain:
                    cells.append(f"{time / max(base['t'], 0.01):.1f} x, {size / base['m']:.1f} x")
            print(f"| {name}, {base['t']:.2f} s, {base['m'] / 1024:.0f} MiB | " + " | ".join(cells) + " |", flush=True)


def versions(said):
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo", encoding="utf-8").read())
    print(f"{platform.system()} {platform.release()}, {cpu.group(1) if cpu else platform.machine()}, "
          f"{os.cpu_count()} processors; " + ", ".join(f"{t.name}: {t.version}" for t in said) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("crimes", "cost"):
        sys.exit(__doc__)
    if sys.argv[1] == "crimes":
        crimes(os.path.abspath(sys.argv[2]), sys.argv[3:])
    else:
        cost(os.path.abspath(sys.argv[2]), sys.argv[3:])
