/* SPDX-License-Identifier: MIT */
/*
 * C++: objects in a region that own something else, and pointers that stay right when their memory
 * is mapped elsewhere.
 *
 *     c++ -std=c++17 12-owners.cpp -lvmalloc
 */
#include <vmalloc/discipline.h>
#include <vmalloc/vmalloc.hpp>

#include <cstdio>
#include <cstring>

/* Closing a region runs no destructors: an object with one gets an owner. */
struct log_file {
    const char *name;
    explicit log_file(const char *n) : name(n) { std::printf("open %s\n", name); }
    ~log_file() { std::printf("close %s\n", name); }
};

/* A list in a buffer, which may be copied or mapped anywhere. */
struct node {
    int value;
    vm::offset_ptr<node> next;
};

static node *build(vm::region &r, int n)
{
    node *first = nullptr;
    for (int i = n; i > 0; i--)
        first = r.make<node>(node{i, first});
    return first;
}

int main()
{
    vm::region r;
    {
        auto log = vm::make_unique<log_file>(r, "a.log");
        std::printf("%zu block more\n", r.stat().n_busy);
    }
    alignas(16) static char buffer[16384], copy[sizeof(buffer)];
    vm::region fixed{vmdcfixedin(buffer, sizeof(buffer))};
    const node *first = build(fixed, 5);
    std::memcpy(copy, buffer, sizeof(buffer));
    auto *moved = reinterpret_cast<const node *>(copy + (reinterpret_cast<const char *>(first) - buffer));
    for (; moved != nullptr; moved = moved->next.get())
        std::printf("%d ", moved->value);
    std::puts("in the copy");
}
