/* SPDX-License-Identifier: MIT */
/* vmalloc.hpp: regions, memory resources, allocators and pointers, also when memory runs out. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <unistd.h>
#include <vmalloc/discipline.h>
#include <vmalloc/image.h>
#include <vmalloc/vmalloc.hpp>

extern "C" {
#include <cmocka.h> /* last: its macros have names of the standard library */
}

struct counted {
    static int alive;
    int value;
    explicit counted(int v) : value(v) { alive++; }
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;
    virtual ~counted() { alive--; }
};
int counted::alive;

struct other {
    virtual ~other() = default;
    long more = 1;
};
struct both : other, counted {
    both() : counted(7) {}
};
struct fourth_throws {
    counted part{0};
    fourth_throws()
    {
        if (counted::alive == 4)
            throw 5;
    }
};
struct thrower {
    thrower() { throw 5; }
};

static size_t busy(const vm::region &r)
{
    return r.stat().n_busy;
}

template <class F> static bool runs_out(F f)
{
    try {
        f();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

static void test_a_region_closes_itself(void **)
{
    Vmalloc_t *seen;
    {
        vm::region r(Vmdcheap, Vmbest);
        void *p = r.allocate(100);
        seen = r.get();
        assert_ptr_equal(vmregion(p), seen);
    }
    for (Vmalloc_t *vm = Vmheap; vm != nullptr; vm = vm->next)
        assert_ptr_not_equal(vm, seen);
}

static void test_a_region_is_moved(void **)
{
    vm::region a, b;
    Vmalloc_t *of_a = a.get();
    b = std::move(a);
    assert_ptr_equal(b.get(), of_a);
    assert_false(static_cast<bool>(a));
    vm::region c(std::move(b));
    assert_ptr_equal(c.get(), of_a);
    assert_true(c.close());
    assert_true(c.close());
    vm::region d(vmopen(Vmdcheap, Vmlast, 0));
    Vmalloc_t *open = d.release();
    assert_false(static_cast<bool>(d));
    assert_int_equal(vmclose(open), 0);
}

static int refuse(Vmalloc_t *, int type, Void_t *, Vmdisc_t *)
{
    return type == VM_CLOSE ? -1 : 0;
}

static void test_a_region_that_may_not_close_stays(void **)
{
    Vmdisc_t disc = *Vmdcheap;
    disc.exceptf = refuse;
    vm::region r(&disc);
    assert_false(r.close());
    assert_true(static_cast<bool>(r));
    disc.exceptf = nullptr;
    assert_true(r.close());
}

static void test_opening_that_fails_throws(void **)
{
    Vmdisc_t nothing = {};
    bool thrown = false;
    try {
        vm::region r(&nothing);
    } catch (const std::system_error &e) {
        thrown = e.code().value() == EINVAL;
    }
    assert_true(thrown);
}

static void test_objects(void **)
{
    vm::region r;
    size_t before = busy(r);
    counted *c = r.make<counted>(3);
    assert_int_equal(c->value, 3);
    assert_int_equal(counted::alive, 1);
    assert_int_equal(busy(r), before + 1);
    r.destroy(c);
    r.destroy(static_cast<counted *>(nullptr));
    assert_int_equal(counted::alive, 0);
    assert_int_equal(busy(r), before);
    bool thrown = false;
    try {
        (void)r.make<thrower>();
    } catch (int) {
        thrown = true;
    }
    assert_true(thrown);
    assert_int_equal(busy(r), before);
}

static void test_unique_pointers(void **)
{
    vm::region r;
    size_t before = busy(r);
    {
        auto p = vm::make_unique<counted>(r, 4);
        auto q = vm::make_unique<both>(r);
        vm::unique_ptr<counted> base = std::move(q);
        assert_int_equal(base->value, 7);
        assert_int_equal(counted::alive, 2);
        assert_int_equal(busy(r), before + 2);
    }
    assert_int_equal(counted::alive, 0);
    assert_int_equal(busy(r), before);
}

static void test_unique_arrays(void **)
{
    vm::region r;
    size_t before = busy(r);
    {
        auto p = vm::make_unique<int[]>(r, 100);
        vm::unique_ptr<const long[]> none = vm::make_unique<const long[]>(r, 0);
        for (int i = 0; i < 100; i++)
            assert_int_equal(p[static_cast<size_t>(i)], 0);
        assert_int_equal(p.get_deleter().size(), 100);
        auto three = vm::make_unique<fourth_throws[]>(r, 3);
        assert_int_equal(counted::alive, 3);
        vm::unique_ptr<const fourth_throws[]> moved = std::move(three);
        assert_null(three.get());
    }
    assert_int_equal(counted::alive, 0);
    bool thrown = false;
    try {
        (void)vm::make_unique<fourth_throws[]>(r, 10);
    } catch (int) {
        thrown = true;
    }
    assert_true(thrown);
    assert_int_equal(counted::alive, 0);
    assert_int_equal(busy(r), before);
    assert_true(runs_out([&] { (void)vm::make_unique<long[]>(r, SIZE_MAX / 2); }));
}

static void test_a_base_is_destroyed_with_its_object(void **)
{
    vm::region r;
    size_t before = busy(r);
    counted *base = r.make<both>(); /* does not lie at the start of the block */
    r.destroy(base);
    assert_int_equal(counted::alive, 0);
    assert_int_equal(busy(r), before);
}

static void test_disciplines_have_an_owner(void **)
{
    vm::discipline quota{vmdclimit(Vmdcsystem, 0, 1 << 20, nullptr, nullptr)};
    assert_non_null(quota.get());
    vm::region r{quota.get()};
    assert_true(runs_out([&] { (void)r.allocate(2 << 20); }));
    assert_true(vmdclimited(quota.get()) > 0);
}

static int told;

static int listen(Vmalloc_t *, int type, Void_t *, Vmdisc_t *)
{
    told += type == VM_BADADDR;
    return 0;
}

static void test_methods_over_others(void **)
{
    for (Vmethod_t *upper : {Vmdebug, Vmprofile}) {
        vm::region r(Vmdcheap, vmover(upper, Vmlast));
        void *p = r.allocate(100);
        assert_non_null(r.allocate(100));
        told = 0;
        r.get()->disc->exceptf = listen;
        r.deallocate(p); /* not the last block: Vmlast would call it an error */
        r.get()->disc->exceptf = nullptr;
        assert_int_equal(told, 0);
    }
}

#ifdef VMALLOC_HPP_PMR
template <class Resource> static void fill(Resource *from)
{
    std::pmr::map<int, std::pmr::string> m(from);
    std::pmr::vector<std::pmr::string> v(from);
    for (int i = 0; i < 1000; i++) {
        m.emplace(i, std::string(static_cast<size_t>(i % 90), 'x'));
        v.emplace_back("a string that is too long to lie inside the object itself");
        if (i % 3 == 0)
            m.erase(i);
    }
    assert_int_equal(m.size(), 666);
    assert_int_equal(m.at(89 + 90).size(), 89);
    assert_true(v.front() == v.back());
}

static void test_containers_on_a_memory_resource(void **)
{
    for (Vmethod_t *meth : {Vmbest, Vmlast}) {
        vm::region r(Vmdcheap, meth);
        vm::memory_resource from(r), same(r.get());
        size_t before = busy(r);
        errno = 0;
        fill(&from);
        assert_int_equal(errno, 0);
        if (meth == Vmbest)
            assert_int_equal(busy(r), before);
        vm::region s;
        assert_true(from == same);
        assert_false(from == vm::memory_resource(s));
        assert_false(from == *std::pmr::new_delete_resource());
    }
}

static void test_containers_in_an_image(void **)
{
    char path[] = "/tmp/vmhppXXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    vm::region image(vmimage(path, nullptr));
    if (image) { /* not every tool that a test runs under lets it have its addresses */
        vm::memory_resource from(image);
        size_t before = busy(image);
        fill(&from);
        assert_int_equal(busy(image), before);
        assert_int_equal(vmcommit(image.get()), 0);
        assert_true(image.close());
    }
    unlink(path);
}

using kept_string = std::basic_string<char, std::char_traits<char>, vm::image_allocator<char>>;
using kept_list = std::vector<kept_string, vm::image_allocator<kept_string>>;

struct old_layout {
    int value;
};
struct new_layout {
    int value;
};
template <> struct vm::root_traits<new_layout> {
    static constexpr unsigned long type = vm::root_traits<old_layout>::type;
    static constexpr unsigned int version = 2;
};

/* A name for a file in the folder for such, and its end. */
struct temporary {
    char path[32] = "/tmp/vmhppXXXXXX";
    temporary()
    {
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
        unlink(path);
    }
    ~temporary() { unlink(path); }
};

template <class F> static int image_fails(F f)
{
    try {
        f();
    } catch (const vm::image_error &error) {
        assert_true(std::strlen(error.what()) > 0);
        return error.code().value();
    }
    return 0;
}

static bool images_work_here(const char *path)
{
    Vmalloc_t *vm = vmimage(path, nullptr);
    if (vm != nullptr)
        vmclose(vm);
    unlink(path);
    return vm != nullptr;
}

static void test_an_image_keeps_containers(void **)
{
    temporary file;
    if (!images_work_here(file.path))
        return;
    for (int run = 0; run < 3; run++) {
        vm::image state(file.path);
        vm::image_allocator<kept_string> in(state);
        kept_list &list = state.root<kept_list>("list", in);
        assert_true(list.get_allocator() == in);
        assert_int_equal(list.size(), run * 100);
        for (int i = 0; i < 100; i++)
            list.emplace_back(std::string(static_cast<size_t>(i), 'x').c_str(), list.get_allocator());
        state.commit();
        list.clear();
        state.rollback();
        assert_int_equal(state.find<kept_list>("list")->back().size(), 99);
        assert_ptr_equal(state.find<kept_list>("list"), &list);
        list.clear(); /* not committed: dropped */
    }
    vm::image state(file.path);
    kept_list moved(std::move(*state.find<kept_list>("list")));
    assert_int_equal(moved.size(), 300);
    assert_true(vmregion(moved.data()) == state.get());
}

static void test_roots_have_types(void **)
{
    temporary file;
    if (!images_work_here(file.path))
        return;
    vm::image state(file.path);
    errno = 0;
    assert_null(state.find<int>("number"));
    assert_int_equal(errno, 0);
    state.root<int>("number", 7)++;
    assert_int_equal(state.root<int>("number", 9), 8);
    assert_int_equal(image_fails([&] { (void)state.find<char>("number"); }), EPROTO);
    state.root<old_layout>("layout", old_layout{3});
    assert_int_equal(state.find<old_layout>("layout")->value, 3);
    assert_int_equal(image_fails([&] { (void)state.find<new_layout>("layout"); }), EPROTO);
    state.set("number", state.make<int>(1));
    assert_int_equal(*state.find<int>("number"), 1);
    assert_true(state.erase("number"));
    assert_false(state.erase("number"));
    assert_null(state.find<int>("number"));
    size_t before = busy(state);
    std::string longname(VM_ROOTNAME + 1, 'n');
    assert_int_equal(image_fails([&] { state.root<int>(longname.c_str(), 1); }), ENAMETOOLONG);
    assert_int_equal(busy(state), before);
}

static void test_an_image_says_why(void **)
{
    temporary file, copy;
    if (!images_work_here(file.path))
        return;
    assert_int_equal(image_fails([] { vm::image none("/no/such/folder/it"); }), ENOENT);
    {
        vm::image state(file.path);
        state.root<int>("number", 5);
        state.commit();
        state.sync();
        state.snapshot(copy.path);
        assert_int_equal(image_fails([&] { vm::image twice(file.path); }), EBUSY);
        assert_int_equal(image_fails([&] { state.snapshot("/no/such/folder/it"); }), ENOENT);
        vm::image taken(std::move(state));
        assert_false(static_cast<bool>(state));
        assert_int_equal(*taken.find<int>("number"), 5);
    }
    Vmimgopt_t options = Vmimgopt_t();
    options.flags = VM_IMGREAD;
    vm::image reader(copy.path, options);
    assert_int_equal(*reader.find<int>("number"), 5);
    assert_int_equal(image_fails([&] { reader.commit(); }), EROFS);
    vm::image_allocator<int> in(reader);
    assert_true(reader.close());
    assert_true(runs_out([&] { (void)in.allocate(1); })); /* its image is not open */
}

static void test_a_pool_serves_nodes(void **)
{
    vm::region r(Vmdcheap, Vmpool);
    vm::memory_resource from(r);
    std::pmr::map<int, int> m(&from);
    for (int i = 0; i < 1000; i++)
        m[i] = i;
    assert_int_equal(m[999], 999);
    assert_true(runs_out([&] { (void)from.allocate(4000); }));
}
#endif

static void test_alignment(void **)
{
    vm::region r;
    for (size_t align = 1; align <= 4096; align *= 2) {
        void *p = r.allocate(10, align);
        assert_int_equal(reinterpret_cast<std::uintptr_t>(p) % align, 0);
        r.deallocate(p);
    }
    assert_non_null(r.allocate(0));
}

static void test_the_standard_allocator(void **)
{
    vm::region r, s;
    std::vector<int, vm::allocator<int>> v{vm::allocator<int>(r)}, w{vm::allocator<int>(s)};
    for (int i = 0; i < 5000; i++)
        v.push_back(i);
    assert_ptr_equal(vmregion(v.data()), r.get());
    int *at = v.data();
    w = std::move(v);
    assert_ptr_equal(w.data(), at);
    std::vector<int, vm::allocator<int>> copy(w, vm::allocator<int>(s));
    assert_ptr_equal(vmregion(copy.data()), s.get());
    assert_true(copy == w);
    vm::allocator<int> a(r);
    assert_true(vm::allocator<char>(a) == a);
    assert_true(a != vm::allocator<int>(s));
    assert_true(runs_out([&] { (void)a.allocate(SIZE_MAX / 2); }));
}

#ifdef VMALLOC_HPP_PMR
static void test_every_allocation_fails_once(void **)
{
    for (size_t n = 1; n < 60; n++) {
        Vmdisc_t *disc = vmdcfail(Vmdcheap, n, 0, 0, 1);
        bool done = false;
        try {
            vm::region r(disc);
            vm::memory_resource from(r);
            fill(&from);
            done = true;
        } catch (const std::bad_alloc &) {
        } catch (const std::system_error &e) {
            assert_int_equal(e.code().value(), ENOMEM);
        }
        assert_int_equal(vmdcfree(disc), 0);
        if (done && n > 1)
            return;
    }
    fail_msg("60 requests are not enough?");
}
#endif

struct linked {
    int value;
    vm::offset_ptr<linked> next;
};

static void test_offset_pointers_move_with_their_memory(void **)
{
    alignas(16) unsigned char one[4 * sizeof(linked)], two[sizeof(one)];
    linked *l = reinterpret_cast<linked *>(one);
    for (int i = 0; i < 4; i++)
        ::new (static_cast<void *>(&l[i])) linked{i, nullptr};
    for (int i = 0; i < 3; i++)
        l[i].next = &l[i + 1];
    std::memcpy(two, one, sizeof(one));
    std::memset(one, 0xff, sizeof(one));
    int sum = 0;
    for (linked *p = reinterpret_cast<linked *>(two); p != nullptr; p = p->next.get())
        sum = sum * 10 + p->value;
    assert_int_equal(sum, 123);
}

static void test_offset_pointers_are_iterators(void **)
{
    int values[] = {3, 1, 2};
    vm::offset_ptr<int> from(values), to = from + 3, none;
    vm::offset_ptr<int> zero(0), nothing = nullptr; /* as containers write it */
    assert_true(zero == none && nothing == none && zero == nullptr);
    std::sort(from, to);
    assert_int_equal(from[0] * 100 + from[1] * 10 + *(to - 1), 123);
    assert_int_equal(to - from, 3);
    assert_true(from < to && from != to && to >= from);
    assert_false(static_cast<bool>(none));
    assert_null(none.get());
    assert_true(none == nullptr);
    vm::offset_ptr<const int> constant = from;
    assert_int_equal(*constant, 1);
    vm::offset_ptr<void> anything = from;
    assert_ptr_equal(anything.get(), values);
    assert_ptr_equal(std::pointer_traits<vm::offset_ptr<int>>::pointer_to(values[2]).get(),
                     &values[2]);
}

int main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_region_closes_itself),
        cmocka_unit_test(test_a_region_is_moved),
        cmocka_unit_test(test_a_region_that_may_not_close_stays),
        cmocka_unit_test(test_opening_that_fails_throws),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_unique_pointers),
        cmocka_unit_test(test_unique_arrays),
        cmocka_unit_test(test_a_base_is_destroyed_with_its_object),
        cmocka_unit_test(test_disciplines_have_an_owner),
        cmocka_unit_test(test_methods_over_others),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_the_standard_allocator),
        cmocka_unit_test(test_offset_pointers_move_with_their_memory),
        cmocka_unit_test(test_offset_pointers_are_iterators),
#ifdef VMALLOC_HPP_PMR
        cmocka_unit_test(test_containers_on_a_memory_resource),
        cmocka_unit_test(test_containers_in_an_image),
        cmocka_unit_test(test_an_image_keeps_containers),
        cmocka_unit_test(test_roots_have_types),
        cmocka_unit_test(test_an_image_says_why),
        cmocka_unit_test(test_a_pool_serves_nodes),
        cmocka_unit_test(test_every_allocation_fails_once),
#endif
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
