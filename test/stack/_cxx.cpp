/* SPDX-License-Identifier: MIT */
/* Frames of C++: a template of the library with a function object, a handler of an exception. */
#include <algorithm>
#include <stdexcept>
#include <vector>

extern "C" void cxx_call(void (*f)());

struct Thing {
    void (*f)();
    virtual ~Thing() = default;
    __attribute__((noinline)) virtual void call(int n)
    {
        if (n > 0)
            throw std::runtime_error("thrown");
        f();
        __asm__ volatile("" ::: "memory");
    }
};

__attribute__((noinline)) static void handle(Thing &t)
{
    try {
        t.call(1);
    } catch (const std::runtime_error &) {
        t.call(0);
    }
}

void cxx_call(void (*f)())
{
    std::vector<int> v{3, 1, 2};
    Thing t;
    bool called = false;
    t.f = f;
    std::sort(v.begin(), v.end(), [&](int a, int b) {
        if (!called)
            handle(t);
        called = true;
        return a < b;
    });
}
