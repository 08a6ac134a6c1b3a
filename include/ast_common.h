/* SPDX-License-Identifier: MIT */
/*
 * A small shim: the names that sources written for the original Vmalloc expect from the header of
 * this name, so that they compile unchanged.  It is not needed for new programs.
 *
 *   Void_t                            void
 *   _ARG_((args))                     argument list of a prototype
 *   _BEGIN_EXTERNS_, _END_EXTERNS_    around declarations with C linkage
 *   NIL(type)                         a null of that type
 *   __EXTERN__, __DEFINE__, ...       the older forms of the same
 *   _ast_int1_t ... _ast_intmax_t     integers by their number of bytes; unsigned may precede
 *   va_listarg, va_listval()          passing a va_list on
 */
#ifndef _AST_COMMON_H
#define _AST_COMMON_H 1

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#ifndef __STD_C
#define __STD_C 1
#endif

#ifdef __cplusplus
#define _BEGIN_EXTERNS_ extern "C" {
#define _END_EXTERNS_ }
#else
#define _BEGIN_EXTERNS_
#define _END_EXTERNS_
#endif

#ifndef _ARG_
#define _ARG_(args) args
#endif
#ifndef __PROTO__
#define __PROTO__(args) args
#endif

#ifndef Void_t
#define Void_t void
#endif
#ifndef NIL
#define NIL(type) ((type)0)
#endif
#ifndef _NIL_
#define _NIL_(type) ((type)0)
#endif

#ifndef __EXTERN__
#define __EXTERN__(type, object) extern type object
#endif
#ifndef __DEFINE__
#define __DEFINE__(type, object, value) type object = value
#endif
#ifndef __INLINE__
#define __INLINE__ static
#endif

#ifndef __VA_LIST__
#define __VA_LIST__ va_list
#endif
#define va_listarg va_list
#define va_listval(p) (p)
#define va_listref(p) (p)

/* Facts about the system that sources test with #if. */
#define _hdr_stdlib 1
#define _hdr_stddef 1
#define _hdr_stdarg 1
#define _hdr_unistd 1
#define _hdr_string 1
#define _typ_size_t 1
#define _typ_ssize_t 1

#define _ast_int1_t signed char
#define _ast_int2_t short
#define _ast_int4_t int
#ifdef __LP64__
#define _ast_int8_t long
#define _ast_intmax_t long
#else
#define _ast_int8_t long long
#define _ast_intmax_t long long
#endif
#define _ast_flt4_t float
#define _ast_flt8_t double
#define _ast_fltmax_t long double

#endif
