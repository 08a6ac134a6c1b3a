/* SPDX-License-Identifier: MIT */
/* Managed images: objects by name, arrays, those without names, what is refused, what a crash leaves. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc/managed.hpp>

extern "C" {
#include <cmocka.h> /* last: its macros have names of the standard library */
}

using vm::managed_image;
static_assert(std::is_same_v<managed_image, vm::basic_managed_image<vm::image_allocator>>, "its allocator");
template <class T> using in_image = managed_image::allocator_type<T>;
using word = std::basic_string<char, std::char_traits<char>, in_image<char>>;
using numbers = std::vector<int, in_image<int>>;
using table = std::vector<numbers, managed_image::scoped_allocator_type<numbers>>;
using index_t = std::unordered_map<int, word, std::hash<int>, std::equal_to<int>,
                                   managed_image::scoped_allocator_type<std::pair<const int, word>>>;

static bool no_memory; /* operator new fails */

void *operator new(std::size_t n)
{
    void *p = no_memory ? nullptr : std::malloc(n);
    if (p == nullptr)
        throw std::bad_alloc();
    return p;
}
void operator delete(void *p) noexcept { std::free(p); }
void operator delete(void *p, std::size_t) noexcept { std::free(p); }

struct temporary {
    char path[64] = "/tmp/vmmanaged.XXXXXX", other[72];
    temporary()
    {
        const int fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
        unlink(path);
        std::snprintf(other, sizeof other, "%s.copy", path);
    }
    ~temporary()
    {
        unlink(path);
        unlink(other);
    }
};

/* What f throws, 0: nothing. */
template <class F> static int thrown(F f)
{
    try {
        f();
    } catch (const vm::image_error &error) {
        return error.code().value();
    } catch (const std::bad_alloc &) {
        return ENOMEM;
    }
    return 0;
}

static void test_opening(void **)
{
    temporary file;
    assert_int_equal(thrown([&] { managed_image(vm::open_only, file.path); }), ENOENT);
    assert_int_equal(thrown([&] { managed_image(vm::open_read_only, file.path); }), ENOENT);
    {
        managed_image made(vm::create_only, file.path);
        assert_false(made.read_only());
        assert_int_equal(*made.construct<int>("kept")(10), 10); /* by closing */
        assert_int_equal(thrown([&] { managed_image(vm::open_only, file.path); }), EBUSY);
    }
    assert_int_equal(thrown([&] { managed_image(vm::create_only, file.path); }), EEXIST);
    {
        managed_image reader(vm::open_read_only, file.path);
        assert_true(reader.read_only());
        assert_int_equal(*reader.find_or_construct<int>("kept")(20), 10);
        *reader.find<int>("kept").first = 11; /* its own */
        reader.construct<int>("own")(1);
        assert_true(reader.flush());
    }
    managed_image again(vm::open_or_create, file.path);
    assert_int_equal(*again.find<int>("kept").first, 10);
    assert_null(again.find<int>("own").first);
}

static void test_names(void **)
{
    temporary file;
    managed_image in(vm::open_or_create, file.path);
    const std::string name("one");
    int *one = in.construct<int>(name)(1);
    assert_ptr_equal(in.find<int>("one").first, one);
    assert_int_equal(in.find<int>("one").second, 1);
    assert_int_equal(thrown([&] { in.construct<int>("one")(2); }), EEXIST);
    assert_int_equal(thrown([&] { in.find<char>("one"); }), EPROTO);
    assert_int_equal(thrown([&] { in.find_or_construct<char>("one")('2'); }), EPROTO);
    assert_int_equal(thrown([&] { in.destroy<char>("one"); }), EPROTO);
    assert_int_equal(thrown([&] { in.construct<int>(std::string(72, 'x'))(1); }), ENAMETOOLONG);
    assert_string_equal(in.get_instance_name(one).c_str(), "one");
    assert_int_equal(in.get_num_named_objects(), 1);
    assert_true(in.destroy<int>("one"));
    assert_false(in.destroy<int>("one"));
    assert_null(in.find<int>("one").first);
    assert_int_equal(in.stat().n_busy, 0); /* nothing that was refused is left, either */
}

template <class T> struct a_type_with_a_name_that_is_too_long_for_a_root {
    T value = 0;
};

static void test_unique(void **)
{
    temporary file;
    using one = a_type_with_a_name_that_is_too_long_for_a_root<long>;
    using two = a_type_with_a_name_that_is_too_long_for_a_root<unsigned long>;
    managed_image in(vm::open_or_create, file.path);
    in.construct<int>(vm::unique_instance)(7);
    in.construct<one>(vm::unique_instance)()->value = 1;
    in.find_or_construct<two>(vm::unique_instance)()->value = 2;
    assert_int_equal(thrown([&] { in.construct<int>(vm::unique_instance)(8); }), EEXIST);
    assert_int_equal(*in.find<int>(vm::unique_instance).first, 7);
    assert_int_equal(in.find<one>(vm::unique_instance).first->value, 1);
    assert_int_equal(in.find<two>(vm::unique_instance).first->value, 2);
    assert_true(in.destroy<one>(vm::unique_instance) && !in.destroy<one>(vm::unique_instance));
    assert_int_equal(in.get_num_named_objects(), 2);
}

struct alignas(64) wide {
    char bytes[64];
};

static void test_arrays(void **)
{
    temporary file;
    const int values[] = {10, 20, 30};
    {
        managed_image in(vm::open_or_create, file.path);
        in.construct<int>("same")[2](5);
        in.construct<numbers>("lists")[3](2, 6, in.get_allocator());
        in.construct_it<int>("each")[3](&values[0]);
        assert_int_equal(*in.find_or_construct_it<int>("each")[1](&values[1]), 10);
        in.construct<char>("none")[0]('x');
        assert_int_equal(in.get_instance_length(in.construct<short>(vm::anonymous_instance)[4]()), 4);
    }
    managed_image in(vm::open_only, file.path);
    assert_int_equal(in.find<int>("same").second, 2);
    assert_int_equal(in.find<int>("same").first[1], 5);
    assert_int_equal(in.find<int>("each").first[2], 30);
    assert_int_equal(in.find<numbers>("lists").second, 3);
    assert_int_equal(in.find<numbers>("lists").first[2].at(1), 6);
    assert_int_equal(in.find<char>("none").second, 0);
    assert_true(in.destroy<numbers>("lists") && in.destroy<int>("same") && in.destroy<int>("each"));
    assert_true(in.destroy<char>("none"));
    assert_int_equal(in.stat().n_busy, 1); /* the one without a name */
    assert_int_equal(thrown([&] { in.construct<wide>("many")[~static_cast<size_t>(0) / 16](); }), ENOMEM);
}

static void test_pointers(void **)
{
    temporary file;
    managed_image in(vm::open_or_create, file.path);
    int *named = in.construct<int>("named")(1), *without = in.construct<int>(vm::anonymous_instance)(2);
    int *plain = in.make<int>(3), outside = 4;
    assert_true(in.destroy_ptr(named) && in.destroy_ptr(without));
    assert_null(in.find<int>("named").first);
    assert_false(in.destroy_ptr(named) || in.destroy_ptr(without));
    assert_false(in.destroy_ptr(plain) || in.destroy_ptr(&outside) || in.destroy_ptr<int>(nullptr));
    assert_int_equal(in.get_instance_length(plain), 0);
    assert_string_equal(in.get_instance_name(plain).c_str(), "");
    in.set("plain", plain); /* a root as those of vm::image */
    assert_ptr_equal(in.find<int>("plain").first, plain);
    assert_int_equal(in.find<int>("plain").second, 1);
    assert_true(in.destroy<int>("plain"));
    assert_int_equal(in.stat().n_busy, 0);
    int &root = in.root<int>("root", 5);
    assert_ptr_equal(in.find<int>("root").first, &root);
}

struct moody {
    static int alive;
    explicit moody(bool throws)
    {
        if (throws)
            throw std::runtime_error("moody");
        alive++;
    }
    explicit moody(std::unique_ptr<int> p) : moody(*p != 0) {}
    ~moody() { alive--; }
};
int moody::alive;

static void test_making(void **)
{
    temporary file;
    managed_image in(vm::open_or_create, file.path);
    const bool moods[] = {false, false, true};
    wide *p = in.construct<wide>("wide")[3]();
    assert_int_equal(reinterpret_cast<std::uintptr_t>(p) % 64, 0);
    assert_int_equal(p[2].bytes[63], 0);
    assert_true(in.destroy_ptr(p));
    try {
        in.construct_it<moody>("moody")[3](&moods[0]);
        fail();
    } catch (const std::runtime_error &) {
    }
    assert_int_equal(moody::alive, 0);
    assert_null(in.find<moody>("moody").first);
    in.construct<moody>("moved")(std::make_unique<int>(0)); /* what is moved in */
    assert_int_equal(moody::alive, 1);
    assert_true(in.destroy<moody>("moved"));
    assert_int_equal(moody::alive, 0);
    assert_int_equal(in.stat().n_busy, 0);
}

static void test_containers(void **)
{
    temporary file;
    const int n = 2000;
    {
        managed_image in(vm::open_or_create, file.path);
        index_t *index = in.construct<index_t>("index")(in.get_allocator());
        table *rows = in.construct<table>("table")(in.get_allocator());
        for (int i = 0; i < n; i++) {
            (*index)[i].assign(static_cast<size_t>(i % 60), 'x'); /* the word's allocator is the map's */
            rows->emplace_back(static_cast<size_t>(i % 7), i);
        }
        assert_true(in.snapshot(file.other));
        index->clear();
    }
    for (const char *path : {file.path, file.other}) {
        managed_image in(vm::open_read_only, path);
        index_t *index = in.find<index_t>("index").first;
        assert_int_equal(index->size(), path == file.path ? 0 : n);
        assert_true(path == file.path || index->at(n - 1).size() == (n - 1) % 60);
        assert_int_equal(in.find<table>("table").first->at(n - 1).size(), (n - 1) % 7);
        assert_true(in.check_sanity());
    }
}

struct with_allocator { /* the other convention: before the others */
    using allocator_type = in_image<int>;
    numbers list;
    with_allocator(std::allocator_arg_t, const allocator_type &in, size_t n) : list(n, 3, in) {}
};

/* The image's allocator, where there is none among the arguments. */
static void test_own_allocator(void **)
{
    temporary file;
    managed_image in(vm::open_or_create, file.path);
    using ordered = std::map<int, word, std::less<int>, managed_image::scoped_allocator_type<std::pair<const int, word>>>;
    const numbers *five = in.construct<numbers>("five")(5u, 1);
    const numbers *copy = in.construct<numbers>("copy")(*five);
    const numbers *many = in.construct<numbers>("many")[2](static_cast<size_t>(2));
    (*in.find_or_construct<ordered>("ordered")())[1] = "a word that is too long for the string itself";
    (*in.construct<ordered>("given")(in.get_segment_manager()))[2] = "x";
    assert_int_equal(five->size(), 5);
    assert_true(*copy == *five && in.belongs_to_segment(copy->data()));
    assert_true(many[1].size() == 2 && in.belongs_to_segment(many[1].data()));
    assert_true(in.belongs_to_segment(in.find<ordered>("ordered").first->at(1).data()));
    assert_int_equal(in.construct<with_allocator>(vm::unique_instance)(4u)->list.at(3), 3);
    in.construct<word>("word")("text");
}

static void test_size(void **)
{
    temporary file;
    const size_t limit = 1 << 20;
    managed_image in(vm::create_only, file.path, limit);
    auto fill = [&] {
        for (;;)
            in.construct<wide>(vm::anonymous_instance)();
    };
    assert_int_equal(thrown(fill), ENOMEM);
    assert_in_range(in.get_size(), limit / 2, limit);
    assert_true(in.get_free_memory() < limit / 4);
    void *p = &in; /* not in it */
    assert_false(in.belongs_to_segment(p));
    assert_true(in.belongs_to_segment(in.get_address()));
    assert_true(in.get_segment_manager() == in.get());
}

static void test_offsets(void **)
{
    temporary file;
    using list = std::vector<vm::offset_ptr<int>, vm::offset_managed_image::allocator_type<vm::offset_ptr<int>>>;
    Vmimgopt_t options = Vmimgopt_t();
    options.limit = static_cast<size_t>(64) << 20;
    vm::offset_managed_image::handle_t handle = 0;
    for (int round = 0; round < 3; round++) {
        vm::offset_managed_image in(vm::open_or_create, file.path, 0, options);
        list *l = in.find_or_construct<list>("list")(in.get_allocator());
        assert_int_equal(l->size(), round);
        for (int i = 0; i < round; i++)
            assert_int_equal(*(*l)[static_cast<size_t>(i)], i);
        l->push_back(in.construct<int>(vm::anonymous_instance)(round));
        assert_true(round == 0 || in.get_address_from_handle(handle) == l);
        handle = in.get_handle_from_address(l);
        options.addr = vmmaddress(options.limit); /* the next time elsewhere, as a rule */
    }
}

/* A process that is killed leaves its last commit, and never a name without its object. */
static void test_killed(void **)
{
    temporary file;
    for (int round = 0; round < 5; round++) {
        int ready[2];
        assert_int_equal(pipe(ready), 0);
        const pid_t child = fork();
        if (child == 0) {
            managed_image in(vm::open_or_create, file.path);
            numbers *l = in.find_or_construct<numbers>("list")(in.get_allocator());
            for (int i = 0;; i++) {
                l->push_back(static_cast<int>(l->size()));
                in.construct<int>("n" + std::to_string(l->size()))(1);
                if (i % 10 == 9)
                    in.commit();
                if (i == 99 && write(ready[1], "", 1) != 1)
                    _exit(1);
                if (i >= 1000)
                    pause();
            }
        }
        char c;
        assert_int_equal(read(ready[0], &c, 1), 1);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, nullptr, 0), child);
        close(ready[0]);
        close(ready[1]);
        managed_image in(vm::open_only, file.path);
        numbers *l = in.find<numbers>("list").first;
        assert_int_equal(l->size() % 10, 0);
        assert_true(l->size() >= static_cast<size_t>(100 * (round + 1)));
        assert_int_equal(in.get_num_named_objects(), l->size() + 1);
        for (size_t i = 0; i < l->size(); i++)
            assert_int_equal(l->at(i), i);
        for (size_t i = static_cast<size_t>(100 * (round + 1)); i < l->size();) { /* names are few */
            in.destroy<int>("n" + std::to_string(l->size()));
            l->pop_back();
        }
    }
}

/* A name longer than what a string has room for; when it cannot be told, calls go on. */
static void test_no_memory(void **)
{
    static const char name[] = "a name that is longer than what strings hold in themselves";
    temporary file;
    managed_image in(vm::create_only, file.path);
    int *p = in.construct<int>(name)(5);
    bool told = false;
    no_memory = true;
    try {
        told = in.destroy_ptr(p);
    } catch (const std::bad_alloc &) {
    }
    no_memory = false;
    assert_false(told);
    alarm(60); /* the image is not locked */
    assert_string_equal(in.get_instance_name(p).c_str(), name);
    alarm(0);
    assert_true(in.destroy_ptr(p));
    assert_null(in.find<int>(name).first);
}

/* Of the names that lead to an object, the one goes that construct() gave to it. */
static void test_other_names(void **)
{
    temporary file;
    managed_image in(vm::create_only, file.path);
    int *gap = in.construct<int>("gap")(1), *p = in.construct<int>("own")(7);
    assert_true(in.destroy_ptr(gap));
    in.set("other", p); /* where the gap was: before the own one */
    assert_true(in.destroy_ptr(p));
    assert_null(in.find<int>("own").first);
    assert_true(in.erase("other"));
}

static void test_threads(void **)
{
    temporary file;
    managed_image in(vm::open_or_create, file.path);
    std::thread team[3];
    for (int t = 0; t < 3; t++)
        team[t] = std::thread([&in, t] {
            for (int i = 0; i < 200; i++) {
                in.construct<int>("t" + std::to_string(t) + "." + std::to_string(i % 50))(i);
                (void)in.find_or_construct<long>("shared")(i);
                in.destroy<int>("t" + std::to_string(t) + "." + std::to_string(i % 50));
            }
        });
    for (std::thread &t : team)
        t.join();
    assert_int_equal(in.get_num_named_objects(), 1);
    managed_image moved(std::move(in));
    assert_non_null(moved.find<long>("shared").first);
}

/* What cannot be committed is dropped, and the image free for the next one. */
static void test_dropped(void **)
{
    temporary file;
    const std::string gone = std::string(file.path) + ".gone";
    {
        managed_image in(vm::open_or_create, file.path);
        in.construct<int>("kept")(1);
        in.commit();
        in.construct<int>("dropped")(1);
        assert_true(in.drop());
        assert_false(static_cast<bool>(in));
        assert_true(in.drop());
    }
    {
        managed_image in(vm::open_only, file.path);
        assert_null(in.find<int>("dropped").first);
        in.construct<int>("child's")(1);
        const pid_t pid = fork();
        if (pid == 0) {
            int *found = in.find<int>("kept").first;
            const bool refused = !in.close(); /* a child does not commit */
            {
                managed_image taken(std::move(in));
            }
            _exit(refused && vmregion(found) == nullptr ? 0 : 1);
        }
        int status = 1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        in = managed_image(vm::create_only, gone);
        in.construct<int>("other")(2);
    }
    managed_image in(vm::open_only, file.path), other(vm::open_only, gone);
    assert_int_equal(*in.find<int>("kept").first, 1);
    assert_int_equal(*in.find<int>("child's").first, 1);
    assert_int_equal(*other.find<int>("other").first, 2);
    other.close();
    unlink(gone.c_str());
}

/* Boost.Interprocess' words for files that are not open, for none, and names that are null pointers of a type. */
static void test_closed(void **)
{
    temporary file;
    const vm::unique_instance_t *one = nullptr;
    const vm::anonymous_instance_t *none = nullptr;
    Vmimgstat_t before, after;
    {
        managed_image in(vm::create_only, file.path, std::size_t(64) << 20), empty;
        assert_false(static_cast<bool>(empty));
        *in.construct<int>(one)() = 4;
        assert_ptr_equal(in.find<int>(vm::unique_instance).first, in.find<int>(one).first);
        assert_true(in.destroy_ptr(in.construct<int>(none)(5)));
        assert_non_null(in.find_or_construct<numbers>("list")(100000u));
        empty.swap(in);
        assert_false(static_cast<bool>(in));
        assert_int_equal(*empty.find<int>(one).first, 4);
        assert_int_equal(vmimgstat(empty.get(), &before), 0);
        assert_true(empty.destroy<numbers>("list"));
        assert_false(managed_image::grow(file.path, 1)); /* it is open */
    }
    assert_true(managed_image::grow(file.path, std::size_t(64) << 20));
    assert_true(managed_image::shrink_to_fit(file.path));
    assert_false(managed_image::shrink_to_fit(file.other)); /* it is not there */
    managed_image in;
    in = managed_image(vm::open_only, file.path);
    assert_int_equal(vmimgstat(in.get(), &after), 0);
    assert_true(after.limit >= before.limit + (std::size_t(64) << 20));
    assert_int_equal(*in.find<int>(one).first, 4);
    assert_true(in.check_sanity());
}

int main()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening), cmocka_unit_test(test_names),      cmocka_unit_test(test_unique),
        cmocka_unit_test(test_arrays),  cmocka_unit_test(test_pointers),   cmocka_unit_test(test_making),
        cmocka_unit_test(test_containers), cmocka_unit_test(test_size),    cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_own_allocator), cmocka_unit_test(test_no_memory), cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_killed),  cmocka_unit_test(test_threads),   cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_closed),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
