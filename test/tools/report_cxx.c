/* SPDX-License-Identifier: MIT */
/* Names of C++: what templates have by default is left out, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../../tools/report_cxx.c"

#define STRING "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"

static void check(const char *name, const char *wanted)
{
    char text[1000];

    snprintf(text, sizeof(text), "%s", name);
    report_cxx_short(text);
    assert_string_equal(text, wanted);
}

static void test_strings_and_containers_have_their_names(void **state)
{
    (void)state;
    check(STRING, "std::string");
    check("web::f[abi:cxx11](" STRING " const&)", "web::f(std::string const&)");
    check("std::vector<" STRING ", std::allocator<" STRING " > >::reserve(unsigned long)",
          "std::vector<std::string>::reserve(unsigned long)");
    check("std::map<int, " STRING ", std::less<int>, std::allocator<std::pair<int const, " STRING
          " > > >::operator[](int const&)",
          "std::map<int, std::string>::operator[](int const&)");
    check("std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, "
          "std::allocator<std::pair<int const, int> > >::clear()",
          "std::unordered_map<int, int>::clear()");
    check("std::basic_ostream<char, std::char_traits<char> >::flush()", "std::ostream::flush()");
    check("std::basic_string_view<char, std::char_traits<char> >", "std::string_view");
}

static void test_what_is_said_stays(void **state)
{
    (void)state;
    check("main", "main");
    check("std::vector<int, my::pool<int> >::vector()", "std::vector<int, my::pool<int>>::vector()");
    check("std::vector<char>::vector(unsigned long, std::allocator<char> const&)",
          "std::vector<char>::vector(unsigned long, std::allocator<char> const&)");
    check("f::g(int, std::allocator<char>)", "f::g(int, std::allocator<char>)");
    check("std::basic_string<wchar_t, std::char_traits<wchar_t>, std::allocator<wchar_t> >",
          "std::basic_string<wchar_t>");
    check("a::operator<(b::c, d)", "a::operator<(b::c, d)");
    check("a::operator>>(b<c> const&)", "a::operator>>(b<c> const&)");
    check("a::b<(c)0", "a::b<(c)0");
    check("x::y<1, std::allocator<", "x::y<1, std::allocator<");
    check("::", "::");
}

static void test_functions_of_the_library_are_known(void **state)
{
    (void)state;
    assert_true(report_cxx_inner("std::vector<int>::vector(int)"));
    assert_true(report_cxx_inner("void std::string::_M_construct<char*>(char*, char*)"));
    assert_true(report_cxx_inner("std::string std::operator+<char>(char const*, std::string&&)"));
    assert_true(report_cxx_inner("__gnu_cxx::new_allocator<int>::allocate(unsigned long)"));
    assert_true(report_cxx_inner("operator new(unsigned long)"));
    assert_false(report_cxx_inner("main"));
    assert_false(report_cxx_inner("open"));
    assert_false(report_cxx_inner("mine::f(std::string)"));
    assert_false(report_cxx_inner("std::string mine::f<int>(std::string)"));
    assert_false(report_cxx_inner("stdx::f()"));
    assert_false(report_cxx_inner("::"));
}

/* Names come from files: whatever they are, they end. */
static void test_any_text_is_survived(void **state)
{
    static const char *const parts[] = {"std::", "<", ">", "(", ")", ", std::allocator<", " ", ">",
                                        "basic_", "<char>", "__cxx11::", "[abi:cxx11]", "x", ","};
    unsigned seed = 3;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[2000] = "::";
        size_t before;

        for (int k = 0; k < 40; k++) {
            seed = seed * 1664525u + 1013904223u;
            strcat(text, parts[(seed >> 16) % (sizeof(parts) / sizeof(*parts))]);
        }
        before = strlen(text);
        report_cxx_short(text);
        assert_true(strlen(text) <= before);
        report_cxx_inner(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_and_containers_have_their_names),
        cmocka_unit_test(test_what_is_said_stays),
        cmocka_unit_test(test_functions_of_the_library_are_known),
        cmocka_unit_test(test_any_text_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
