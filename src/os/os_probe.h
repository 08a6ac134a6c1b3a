/* SPDX-License-Identifier: MIT */
/*
 * Probes: places where a tracer (bpftrace, perf, SystemTap, gdb) can look at what happens, by name and with
 * values.  vmalloc-probes(7) lists them.
 *
 *   code  ... nop ...      .note.stapsdt   address of the nop, "vmalloc", name, where the values are
 *
 * Cost: the nop, and that the values are at hand there.  So none is on the way of a call that needs no
 * lock.  Where the build did not find <sys/sdt.h>, which is a header and no library, they are nothing.
 */
#ifndef VMOS_PROBE_H
#define VMOS_PROBE_H 1

#ifdef VMOS_PROBES
#include <sys/sdt.h>
#ifdef __clang__ /* which counts what macros of that header are made of as ours */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#define VMOS_PROBE1(name, a) STAP_PROBE1(vmalloc, name, a)
#define VMOS_PROBE2(name, a, b) STAP_PROBE2(vmalloc, name, a, b)
#define VMOS_PROBE3(name, a, b, c) STAP_PROBE3(vmalloc, name, a, b, c)
#define VMOS_PROBE5(name, a, b, c, d, e) STAP_PROBE5(vmalloc, name, a, b, c, d, e)
#else
#define VMOS_PROBE1(name, a) ((void)(a))
#define VMOS_PROBE2(name, a, b) ((void)(a), (void)(b))
#define VMOS_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#define VMOS_PROBE5(name, a, b, c, d, e) ((void)(a), (void)(b), (void)(c), (void)(d), (void)(e))
#endif

#endif
