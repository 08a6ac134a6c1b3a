/* SPDX-License-Identifier: MIT */
/*
 * report_cxx: names of C++ functions as their authors know them.
 *
 *   std::vector<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >,
 *   std::allocator<std::__cxx11::basic_string<char, ... > > >::reserve(unsigned long)
 *   std::vector<std::string>::reserve(unsigned long)
 *
 * What is left out is what the standard says when nothing is said: allocators, comparisons, hashes
 * that templates have by default, namespaces of versions.  Other names stay as they are.
 */
#include "report.h"

#include <ctype.h>
#include <string.h>

#define DEPTH 256 /* of brackets */

static void drop(char *at, size_t n)
{
    memmove(at, at + n, strlen(at + n) + 1);
}

static void drop_all(char *s, const char *what)
{
    while ((s = strstr(s, what)) != NULL)
        drop(s, strlen(what));
}

/* The bracket that ends what begins at s with '<'; NULL: none does. */
static char *closing(char *s)
{
    int depth = 0;

    for (; *s; s++) {
        depth += (*s == '<' || *s == '(') - (*s == '>' || *s == ')');
        if (depth == 0)
            return s;
    }
    return NULL;
}

/* Bytes of a template's argument at s, ", std::allocator<char>", that can be left out; 0: none. */
static size_t is_default(char *s)
{
    static const char *const known[] = {
        ", std::allocator<", ", std::char_traits<",     ", std::less<", ", std::hash<",
        ", std::equal_to<",  ", std::default_delete<"};
    char *end;
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strncmp(s, known[i], strlen(known[i])) == 0) {
            end = closing(s + strlen(known[i]) - 1);
            if (!end)
                return 0;
            end++;
            return *end == '>' || *end == ',' || strncmp(end, " >", 2) == 0 ? (size_t)(end - s) : 0;
        }
    return 0;
}

/* Only in <>, not among the parameters of a function. */
static void drop_defaults(char *s)
{
    char open[DEPTH];
    size_t n = 0, length;

    for (; *s; s++) {
        while (*s == ',' && n > 0 && n <= DEPTH && open[n - 1] == '<' &&
               (length = is_default(s)) > 0)
            drop(s, length);
        if (*s == ' ' && s[1] == '>')
            drop(s, 1);
        if (*s == '<' || *s == '(') {
            if (n < DEPTH)
                open[n] = *s;
            n++;
        } else if ((*s == '>' || *s == ')') && n > 0) {
            n--;
        }
    }
}

/* std::basic_string<char> is std::string, and so on. */
static void name_basics(char *s)
{
    while ((s = strstr(s, "std::basic_")) != NULL) {
        char *end = s += strlen("std::");

        while (isalnum((unsigned char)*end) || *end == '_')
            end++;
        if (strncmp(end, "<char>", 6) != 0)
            continue;
        drop(end, 6);
        drop(s, strlen("basic_"));
    }
}

void report_cxx_short(char *name)
{
    if (!strstr(name, "::") && !strstr(name, "[abi:"))
        return;
    drop_all(name, "[abi:cxx11]");
    drop_all(name, "__cxx11::");
    drop_defaults(name);
    name_basics(name);
}

/* Behind the type that a template returns: "void std::f<int>(int)". */
static const char *behind_type(const char *s)
{
    const char *start = s;
    int depth = 0;

    for (; *s && !(depth == 0 && *s == '('); s++) {
        depth += (*s == '<') - (*s == '>');
        if (depth == 0 && *s == ' ')
            start = s + 1;
        if (depth == 0 && strncmp(s, "operator", 8) == 0)
            break;
    }
    return start;
}

int report_cxx_inner(const char *function)
{
    static const char *const begins[] = {"std::", "__gnu_cxx::", "operator new"};
    const char *s;
    size_t i;

    if (!strchr(function, ':') && *function != 'o')
        return 0;
    s = behind_type(function);
    for (i = 0; i < sizeof(begins) / sizeof(*begins); i++)
        if (strncmp(s, begins[i], strlen(begins[i])) == 0)
            return 1;
    return 0;
}
