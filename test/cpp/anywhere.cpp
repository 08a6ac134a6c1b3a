/* SPDX-License-Identifier: MIT */
/* Images opened at two addresses: offset_ptr, and containers with offset_allocator, are right at both. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>
#include <vmalloc/vmalloc.hpp>

extern "C" {
#include <cmocka.h> /* last: its macros have names of the standard library */
}

using word = std::vector<char, vm::offset_allocator<char>>;
using list = std::vector<word, vm::offset_allocator<word>>;

struct node {
    int value = 0;
    vm::offset_ptr<node> next, self;
};

struct temporary {
    char path[64] = "/tmp/vmanywhere.XXXXXX";
    temporary() { close(mkstemp(path)); }
    ~temporary() { unlink(path); }
};

static std::string text(int i)
{
    return std::string(static_cast<std::size_t>(i % 50), static_cast<char>('a' + i % 26));
}

static void fill(vm::image &state, int from, int to)
{
    list &words = state.root<list>("words", vm::offset_allocator<word>(state));
    node &head = state.root<node>("head");
    for (int i = from; i < to; i++) {
        node *n = state.make<node>();
        n->value = i;
        n->self = n;
        n->next = head.next;
        head.next = n;
        const std::string bytes = text(i);
        words.emplace_back(bytes.begin(), bytes.end(), words.get_allocator());
    }
}

static void whole(vm::image &state, int count)
{
    list *words = state.find<list>("words");
    node *head = state.find<node>("head");
    assert_non_null(words);
    assert_non_null(head);
    assert_int_equal(words->size(), count);
    for (int i = 0; i < count; i++)
    {
        const word &w = (*words)[static_cast<std::size_t>(i)];
        assert_true(std::string(w.begin(), w.end()) == text(i));
    }
    for (vm::offset_ptr<node> n = head->next; n; n = n->next) {
        assert_int_equal(n->value, --count);
        assert_ptr_equal(n->self.get(), n.get());
        assert_ptr_equal(vmregion(n.get()), state.get());
    }
    assert_int_equal(count, 0);
}

static void *base(const vm::image &state)
{
    Vmimgstat_t st;
    assert_int_equal(vmimgstat(state.get(), &st), 0);
    return st.base;
}

static void test_two_addresses(void **)
{
    temporary file;
    Vmimgopt_t options = Vmimgopt_t();
    options.flags = VM_IMGANYWHERE;
    options.limit = static_cast<std::size_t>(64) << 20;
    void *last = nullptr;
    int moved = 0;
    for (int round = 0; round < 4; round++) {
        vm::image state(file.path, options);
        moved += round > 0 && base(state) != last; /* as a rule: something may have come there meanwhile */
        last = base(state);
        if (round > 0)
            whole(state, 300 * round);
        fill(state, 300 * round, 300 * (round + 1));
        whole(state, 300 * (round + 1));
        state.commit();
        options.addr = vmmaddress(options.limit);
        assert_non_null(options.addr);
    }
    assert_true(moved > 0);
}

static void test_gone(void **)
{
    temporary file;
    Vmimgopt_t options = Vmimgopt_t();
    options.flags = VM_IMGANYWHERE;
    vm::image state(file.path, options);
    vm::offset_allocator<int> in(state), same(state.get());
    assert_true(in == same && !(in != same));
    assert_true(vm::offset_allocator<char>(in) == in);
    in.deallocate(in.allocate(10), 10);
    assert_true(state.close());
    try {
        (void)in.allocate(1);
        fail();
    } catch (const std::bad_alloc &) {
    }
}

int main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_addresses),
        cmocka_unit_test(test_gone),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
