/* SPDX-License-Identifier: MIT */
/* The operators new and delete of C++, and what the standard library makes of them. */
#include <cstdarg>
#include <cstddef>
#include <csetjmp>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <malloc.h>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

static void test_they_are_ours(void **)
{
    Dl_info info;
    void *(*plain)(std::size_t) = &::operator new;
    assert_int_not_equal(dladdr(reinterpret_cast<void *>(plain), &info), 0);
    assert_non_null(std::strstr(info.dli_fname, "libvmalloc-malloc"));
}

static void test_plain(void **)
{
    for (std::size_t n : {0, 1, 16, 100, 1024, 1025, 40000, 5000000}) {
        void *p = ::operator new(n), *q = ::operator new[](n);
        assert_ptr_not_equal(p, q);
        assert_true(malloc_usable_size(p) >= n);
        std::memset(p, 1, n);
        std::memset(q, 2, n);
        ::operator delete(p);
        ::operator delete[](q, n);
        p = ::operator new(n, std::nothrow);
        q = ::operator new[](n, std::nothrow);
        ::operator delete(p, n);
        ::operator delete[](q, std::nothrow);
        ::operator delete(static_cast<void *>(nullptr));
        ::operator delete(::operator new(n), std::nothrow);
    }
}

static void test_aligned(void **)
{
    for (std::size_t a : {1, 8, 16, 32, 64, 4096, 65536})
        for (std::size_t n : {0, 1, 100, 5000, 100000}) {
            std::align_val_t al{a};
            void *p = ::operator new(n, al), *q = ::operator new[](n, al);
            assert_int_equal(reinterpret_cast<std::uintptr_t>(p) % a, 0);
            assert_int_equal(reinterpret_cast<std::uintptr_t>(q) % a, 0);
            std::memset(p, 1, n);
            ::operator delete(p, al);
            ::operator delete[](q, n, al);
            p = ::operator new(n, al, std::nothrow);
            q = ::operator new[](n, al, std::nothrow);
            ::operator delete(p, n, al);
            ::operator delete[](q, al);
            ::operator delete(::operator new(n, al), al, std::nothrow);
            ::operator delete[](::operator new[](n, al), al, std::nothrow);
        }
}

static std::size_t toomuch()
{
    volatile std::size_t n = SIZE_MAX / 2 - 100;
    return n;
}

static void *volatile sink; // or the compiler leaves the calls out

template <typename F> static bool throws(F f)
{
    try {
        f();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

static void test_without_memory(void **)
{
    assert_true(throws([] { sink = ::operator new(toomuch()); }));
    assert_true(throws([] { sink = ::operator new[](toomuch()); }));
    assert_true(throws([] { sink = ::operator new (toomuch(), std::align_val_t{64}); }));
    assert_true(throws([] { std::vector<char> v(toomuch()); }));
    assert_null(::operator new(toomuch(), std::nothrow));
    assert_null(::operator new[](toomuch(), std::nothrow));
    assert_null(::operator new (toomuch(), std::align_val_t{64}, std::nothrow));
}

static int calls;

static void handler()
{
    if (++calls == 3)
        std::set_new_handler(nullptr);
}

static void test_new_handler(void **)
{
    calls = 0;
    std::set_new_handler(handler);
    assert_true(throws([] { sink = ::operator new(toomuch()); }));
    assert_int_equal(calls, 3);
    calls = 0;
    std::set_new_handler(handler);
    assert_null(::operator new(toomuch(), std::nothrow));
    assert_int_equal(calls, 3);
    std::set_new_handler([] { throw std::bad_alloc(); });
    assert_true(throws([] { sink = ::operator new(toomuch()); }));
    assert_null(::operator new(toomuch(), std::nothrow));
    assert_null(::operator new[](toomuch(), std::nothrow));
    assert_null(::operator new(toomuch(), std::align_val_t{64}, std::nothrow));
    assert_null(::operator new[](toomuch(), std::align_val_t{64}, std::nothrow));
    std::set_new_handler(nullptr);
}

struct alignas(128) wide {
    char bytes[200];
};

static void test_containers(void **)
{
    std::map<std::string, std::vector<int>> m;
    for (int i = 0; i < 20000; i++)
        m["a key that is long enough to lie outside the string " + std::to_string(i % 3000)]
            .push_back(i);
    assert_int_equal(m.size(), 3000);
    std::vector<std::unique_ptr<wide>> wides;
    for (int i = 0; i < 1000; i++) {
        wides.push_back(std::make_unique<wide>());
        assert_int_equal(reinterpret_cast<std::uintptr_t>(wides.back().get()) % 128, 0);
    }
    std::thread([&] { m.clear(); }).join();
    assert_true(m.empty());
}

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(test_they_are_ours), cmocka_unit_test(test_plain),
        cmocka_unit_test(test_aligned),       cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_new_handler),   cmocka_unit_test(test_containers),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
