/* SPDX-License-Identifier: MIT */
/*
 * Managed images for C++17 and later: objects in a file that are made, found and destroyed by name, with the words
 * that Boost.Interprocess and Metall gave to it.
 *
 *     using numbers = std::vector<int, vm::managed_image::allocator_type<int>>;
 *
 *     vm::managed_image state(vm::open_or_create, "numbers.img");
 *     numbers *list = state.find_or_construct<numbers>("list")();   // of the image's allocator
 *     list->push_back(5);
 *     state.commit();            // this is there after any crash; what comes later, when state is closed
 *
 *     numbers *same = state.find<numbers>("list").first;
 *     state.destroy<numbers>("list");
 *
 * A managed image is a vm::image: committed as a whole, all or nothing.  Unlike that one it commits when it is
 * closed; a process that dies leaves the last commit, and never anything between.
 *
 * Bytes of what construct() made, in one block; p is what the program, and the root of that name, hold:
 *
 *     | up to the alignment of T | n | check | named | T 0 | T 1 | ... | T n-1 |
 *                                                    ^ p
 *
 * A root to it has `managed_mark` in its version; roots without, as those of set() and root(), lead to plain
 * objects: find() and destroy() know both.  Names are roots: up to 71 bytes, up to 2000 of them, found in a time
 * that grows with their number; what has no name (anonymous_instance) counts nothing.
 */
#ifndef VMALLOC_MANAGED_HPP
#define VMALLOC_MANAGED_HPP 1

#include <vmalloc/vmalloc.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <scoped_allocator>
#include <string>
#include <typeinfo>
#include <utility>

namespace vm {

/* How to open: the file must not be there; must be; is made when it is not; must be, and is only read: what the
 * process stores or makes in it is its own then, and gone when it is closed. */
struct create_only_t {};
struct open_only_t {};
struct open_or_create_t {};
struct open_read_only_t {};
inline constexpr create_only_t create_only{};
inline constexpr open_only_t open_only{};
inline constexpr open_or_create_t open_or_create{};
inline constexpr open_read_only_t open_read_only{};
inline constexpr open_read_only_t open_copy_on_write{};

/* In place of a name: the one object of its type without other name; an object without any. */
struct unique_instance_t {};
struct anonymous_instance_t {};
inline constexpr unique_instance_t unique_instance{};
inline constexpr anonymous_instance_t anonymous_instance{};

namespace detail {

inline constexpr unsigned int managed_mark = 1u << 31;

/* In front of the first object of construct(). */
struct managed_head {
    std::size_t n;
    std::uint32_t check; /* of n and the size of an object */
    std::uint32_t named; /* 1: a root leads to it */
};

template <class T> constexpr std::size_t managed_lead() noexcept
{
    return (sizeof(managed_head) + alignof(T) - 1) / alignof(T) * alignof(T);
}

inline std::uint32_t managed_check(std::size_t n, std::size_t size) noexcept
{
    std::uint64_t h = (static_cast<std::uint64_t>(n) + 1) * 0x9e3779b97f4a7c15u;
    h = (h ^ size) * 0xff51afd7ed558ccdu;
    return static_cast<std::uint32_t>(h >> 32) | 1u;
}

/* "unique:" and the name of the type, whose end is a hash when it is long. */
inline std::string unique_name(const char *type)
{
    const std::string name = std::string("unique:") + type;
    if (name.size() < VM_ROOTNAME)
        return name;
    std::uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (const char *c = type; *c != '\0'; c++)
        h = (h ^ static_cast<unsigned char>(*c)) * 1099511628211u;
    std::string end(16, '0');
    for (char &digit : end) {
        digit = "0123456789abcdef"[h % 16];
        h /= 16;
    }
    return name.substr(0, VM_ROOTNAME - 2 - end.size()) + '#' + end;
}

/* What name becomes as that of a root; "": it has none. */
template <class T> std::string root_name(const char *name) { return name; }
template <class T> std::string root_name(const std::string &name) { return name; }
template <class T> std::string root_name(anonymous_instance_t) { return std::string(); }
template <class T> std::string root_name(unique_instance_t) { return unique_name(typeid(T).name()); }
/* As in Boost.Interprocess, whose words are pointers: code that chooses one by its type has a null one. */
template <class T> std::string root_name(const anonymous_instance_t *) { return std::string(); }
template <class T> std::string root_name(const unique_instance_t *) { return root_name<T>(unique_instance); }

/* Whether T has an allocator that A becomes, none of args is one, and T can be made of args and an A. */
template <class T, class A, class List, class = void> struct takes_allocator : std::false_type {};
template <class T, class A, class... Args>
struct takes_allocator<T, A, void(Args...), std::enable_if_t<std::uses_allocator_v<T, A>>>
    : std::conjunction<
          std::negation<std::disjunction<std::is_convertible<Args, typename T::allocator_type>...>>,
          std::disjunction<std::is_constructible<T, std::allocator_arg_t, A, Args...>,
                           std::is_constructible<T, Args..., A>>> {};
template <class T, class A, class... Args> using wants_allocator = takes_allocator<T, A, void(Args...)>;

} // namespace detail

/* An image with named objects.  Allocator is that of get_allocator(): see managed_image and
 * offset_managed_image below.  Calls that name objects may be made by any thread; commit(), snapshot(), rollback()
 * and close() while no other one uses the image. */
template <template <class> class Allocator> class basic_managed_image : public image {
  public:
    template <class T> using allocator_type = Allocator<T>;
    template <class T> using scoped_allocator_type = std::scoped_allocator_adaptor<Allocator<T>>;
    using segment_manager = Vmalloc_t; /* what an allocator is made of: get_segment_manager() */
    using size_type = std::size_t;
    using handle_t = std::ptrdiff_t;

    /* limit: bytes that the image may grow to, its bookkeeping included; 0: 64 GiB.  The file is as long as what is
     * in it.  vm::image_error when it does not open. */
    basic_managed_image(create_only_t, const std::string &path, std::size_t limit = 0,
                        Vmimgopt_t options = Vmimgopt_t())
        : basic_managed_image(path, with(options, VM_IMGNEW, limit))
    {
    }
    basic_managed_image(open_or_create_t, const std::string &path, std::size_t limit = 0,
                        Vmimgopt_t options = Vmimgopt_t())
        : basic_managed_image(path, with(options, 0, limit))
    {
    }
    basic_managed_image(open_only_t, const std::string &path, Vmimgopt_t options = Vmimgopt_t())
        : basic_managed_image(path, with(options, VM_IMGEXIST, 0))
    {
    }
    basic_managed_image(open_read_only_t, const std::string &path, Vmimgopt_t options = Vmimgopt_t())
        : basic_managed_image(path, with(options, VM_IMGREAD, 0))
    {
    }

    /* None yet: may be assigned to, swapped, tested and destroyed. */
    basic_managed_image() noexcept : image(nullptr), reader_(false) {}
    void swap(basic_managed_image &other) noexcept
    {
        basic_managed_image mine(std::move(*this));
        *this = std::move(other);
        other = std::move(mine);
    }

    /* Let the image at path grow to `more` bytes beyond its limit; give back what is free in its file.  It must not be
     * open.  Whether that was done. */
    static bool grow(const std::string &path, size_type more)
    {
        Vmimgopt_t options = Vmimgopt_t();
        return with_closed(path, options, [&options, more](image &in) {
            Vmimgstat_t st;
            if (vmimgstat(in.get(), &st) == 0)
                options.limit = st.limit + more;
        }) && with_closed(path, options, [](image &) {});
    }
    static bool shrink_to_fit(const std::string &path)
    {
        return with_closed(path, Vmimgopt_t(), [](image &in) { in.compact(); });
    }

    bool read_only() const noexcept { return reader_; }

    /* Makes objects; see maker.  A name that is there already: construct() throws EEXIST, find_or_construct()
     * gives what is there, of which EPROTO when it is of another type. */
    template <class T, bool Iterate, bool Many> class maker;
    template <class T, class Name> maker<T, false, false> construct(const Name &name)
    {
        return {*this, detail::root_name<T>(name), false};
    }
    template <class T, class Name> maker<T, false, false> find_or_construct(const Name &name)
    {
        return {*this, detail::root_name<T>(name), true};
    }
    /* The same with iterators for arguments, each dereferenced and moved on for one object. */
    template <class T, class Name> maker<T, true, false> construct_it(const Name &name)
    {
        return {*this, detail::root_name<T>(name), false};
    }
    template <class T, class Name> maker<T, true, false> find_or_construct_it(const Name &name)
    {
        return {*this, detail::root_name<T>(name), true};
    }

    /* The first object of that name and how many there are; {nullptr, 0}: none.  EPROTO: they are of
     * another type or version. */
    template <class T, class Name> std::pair<T *, size_type> find(const Name &name) const
    {
        std::lock_guard<std::recursive_mutex> hold(*lock_);
        bool headed;
        return seek<T>(detail::root_name<T>(name), &headed);
    }

    /* Runs the destructors of the objects of that name, and frees them: whether there were any. */
    template <class T, class Name> bool destroy(const Name &name)
    {
        std::lock_guard<std::recursive_mutex> hold(*lock_);
        const std::string root = detail::root_name<T>(name);
        bool headed;
        const std::pair<T *, size_type> found = seek<T>(root, &headed);
        if (found.first == nullptr)
            return false;
        erase(root.c_str());
        end(found.first, found.second, headed);
        return true;
    }

    /* The same for the first of the objects that construct() made, with a name or without.  false: it is none. */
    template <class T> bool destroy_ptr(T *p)
    {
        std::lock_guard<std::recursive_mutex> hold(*lock_);
        detail::managed_head *head = head_of(p);
        if (head == nullptr)
            return false;
        if (head->named != 0)
            erase(name_of(p, detail::managed_mark).c_str());
        end(p, head->n, true);
        return true;
    }

    /* How many objects begin at p; 0: construct() did not make them. */
    template <class T> size_type get_instance_length(T *p) const
    {
        std::lock_guard<std::recursive_mutex> hold(*lock_);
        const detail::managed_head *head = head_of(p);
        return head == nullptr ? 0 : head->n;
    }
    /* The name of a root that leads to p; "": none does. */
    std::string get_instance_name(const void *p) const { return name_of(p); }
    size_type get_num_named_objects() const
    {
        size_type n = 0;
        (void)vmrootwalk(get(), count, &n);
        return n;
    }

    /* Memory without objects. */
    template <class T = std::byte> allocator_type<T> get_allocator() const { return allocator_type<T>(get()); }
    segment_manager *get_segment_manager() const noexcept { return get(); }
    void *allocate_aligned(size_type bytes, size_type align) { return allocate(bytes, align); }

    /* Offsets that mean the same in all processes, wherever the image lies. */
    void *get_address() const
    {
        Vmimgstat_t st;
        check(vmimgstat(get(), &st), "vmimgstat");
        return st.base;
    }
    handle_t get_handle_from_address(const void *p) const
    {
        return static_cast<const char *>(p) - static_cast<const char *>(get_address());
    }
    void *get_address_from_handle(handle_t handle) const { return static_cast<char *>(get_address()) + handle; }
    bool belongs_to_segment(const void *p) const noexcept { return vmregion(const_cast<void *>(p)) == get(); }

    size_type get_size() const { return stat().extent; }
    size_type get_free_memory() const { return stat().s_free; }
    bool check_sanity() { return vmdbcheck(get()) == 0; }

    /* commit(), told by its value. */
    bool flush() noexcept { return reader_ || vmcommit(get()) == 0; }

    /* Commits, and writes that as an image of its own to path, which is replaced. */
    bool snapshot(const std::string &path) { return flush() && vmsnapshot(get(), path.c_str()) == 0; }

  private:
    basic_managed_image(const std::string &path, Vmimgopt_t options)
        : image(path, options), reader_((options.flags & VM_IMGREAD) != 0), lock_(new std::recursive_mutex)
    {
    }

    template <class F> static bool with_closed(const std::string &path, const Vmimgopt_t &options, F f)
    {
        try {
            basic_managed_image in(open_only, path, options);
            f(in);
            return in.close();
        } catch (const image_error &) {
            return false;
        }
    }

    static Vmimgopt_t with(Vmimgopt_t options, unsigned int flags, std::size_t limit)
    {
        options.flags |= flags | ((flags & VM_IMGREAD) != 0 ? 0 : VM_IMGCLOSE);
        if (std::is_same_v<Allocator<char>, offset_allocator<char>>)
            options.flags |= VM_IMGANYWHERE;
        if (limit != 0)
            options.limit = limit;
        return options;
    }

    /* What root leads to; *headed: whether construct() made it. */
    template <class T> std::pair<T *, size_type> seek(const std::string &root, bool *headed) const
    {
        Vmroot_t found;
        if (root.empty() || !lookup(root.c_str(), &found))
            return {nullptr, 0};
        *headed = (found.version & detail::managed_mark) != 0;
        T *p = static_cast<T *>(found.value);
        const unsigned int version = found.version & ~detail::managed_mark;
        const detail::managed_head *head = *headed ? head_of(p) : nullptr;
        if (found.type != root_traits<T>::type || version != root_traits<T>::version || (*headed && head == nullptr))
            throw image_error(EPROTO, "object " + root + " is of another type");
        return {p, head == nullptr ? 1 : head->n};
    }

    /* The head of what construct() made; nullptr for anything else. */
    template <class T> detail::managed_head *head_of(T *p) const noexcept
    {
        char *first = reinterpret_cast<char *>(const_cast<std::remove_cv_t<T> *>(p));
        if (p == nullptr || !belongs_to_segment(p))
            return nullptr;
        char *block = first - detail::managed_lead<T>();
        if (get()->meth.addrf(get(), block, 0) != 0)
            return nullptr;
        auto *head = reinterpret_cast<detail::managed_head *>(first - sizeof(detail::managed_head));
        return head->check == detail::managed_check(head->n, sizeof(T)) ? head : nullptr;
    }

    /* Runs n destructors, and frees the block even when one of them throws. */
    template <class T> void end(T *p, size_type n, bool headed)
    {
        struct block {
            region *in;
            void *start;
            ~block() { in->deallocate(start); }
        } gone{this, headed ? reinterpret_cast<char *>(p) - detail::managed_lead<T>() : reinterpret_cast<char *>(p)};
        if (headed)
            head_of(p)->check = 0;
        while (n > 0)
            p[--n].~T();
    }

    struct sought {
        const void *value;
        unsigned int mark; /* bits that its version has to have */
        char name[VM_ROOTNAME];
    };
    /* Throws nothing: the walk holds a lock. */
    static int compare(Vmalloc_t *, const Vmroot_t *root, void *handle) noexcept
    {
        sought *s = static_cast<sought *>(handle);
        if (root->value != s->value || (root->version & s->mark) != s->mark)
            return 0;
        std::memcpy(s->name, root->name, sizeof s->name);
        return -1;
    }
    static int count(Vmalloc_t *, const Vmroot_t *, void *handle)
    {
        ++*static_cast<size_type *>(handle);
        return 0;
    }
    std::string name_of(const void *p, unsigned int mark = 0) const
    {
        sought s{p, mark, {}};
        (void)vmrootwalk(get(), compare, &s);
        return s.name;
    }

    bool reader_;
    std::unique_ptr<std::recursive_mutex> lock_; /* of names */

  public:
    /* What construct<T>(name) is: (arguments) makes one object, [n](arguments) makes n, each of the same arguments.
     * A T with an allocator (std::uses_allocator), as containers are, gets that of the image when it is given none.
     * When a constructor throws, those before it are destroyed, and nothing was made. */
    template <class T, bool Iterate, bool Many> class maker {
      public:
        maker<T, Iterate, true> operator[](size_type n) const
        {
            return maker<T, Iterate, true>(in_, name_, find_, n);
        }

        template <class... Args> T *operator()(Args &&...args) const
        {
            std::lock_guard<std::recursive_mutex> hold(*in_.lock_);
            T *there = look();
            return there != nullptr ? there : make(std::forward<Args>(args)...);
        }

      private:
        friend class basic_managed_image;
        maker(basic_managed_image &in, std::string name, bool find, size_type n = 1)
            : in_(in), name_(std::move(name)), find_(find), n_(n)
        {
        }

        T *look() const
        {
            Vmroot_t root;
            bool headed;
            if (find_)
                return in_.template seek<T>(name_, &headed).first;
            if (!name_.empty() && in_.lookup(name_.c_str(), &root))
                throw image_error(EEXIST, "object " + name_);
            return nullptr;
        }

        template <class... Args> T *make(Args &&...args) const
        {
            constexpr std::size_t lead = detail::managed_lead<T>();
            constexpr std::size_t align = std::max(alignof(T), alignof(detail::managed_head));
            const std::size_t bytes = detail::bytes_of(n_, sizeof(T));
            if (bytes > std::numeric_limits<std::size_t>::max() - lead)
                throw std::bad_array_new_length();
            char *block = static_cast<char *>(in_.allocate(lead + bytes, align));
            T *first = reinterpret_cast<T *>(block + lead);
            size_type made = 0;
            try {
                for (; made < n_; made++)
                    fill(first + made, std::forward<Args>(args)...);
                name(first);
            } catch (...) {
                while (made > 0)
                    first[--made].~T();
                in_.deallocate(block);
                throw;
            }
            return first;
        }

        /* One object of many must leave the arguments as they are. */
        template <class... Args> void fill(T *p, Args &&...args) const
        {
            void *at = const_cast<std::remove_cv_t<T> *>(p);
            if constexpr (Iterate)
                put(at, *args++...);
            else if constexpr (Many)
                put(at, args...);
            else
                put(at, std::forward<Args>(args)...);
        }

        /* What takes an allocator, and is given none, gets the image's. */
        template <class... Args> void put(void *at, Args &&...args) const
        {
            using given = allocator_type<std::byte>;
            if constexpr (!detail::wants_allocator<T, given, Args...>::value)
                ::new (at) T(std::forward<Args>(args)...);
            else if constexpr (std::is_constructible_v<T, std::allocator_arg_t, given, Args...>)
                ::new (at) T(std::allocator_arg, given(in_.get()), std::forward<Args>(args)...);
            else
                ::new (at) T(std::forward<Args>(args)..., given(in_.get()));
        }

        void name(T *first) const
        {
            detail::managed_head head{n_, detail::managed_check(n_, sizeof(T)), name_.empty() ? 0u : 1u};
            std::memcpy(reinterpret_cast<char *>(first) - sizeof head, &head, sizeof head);
            if (!name_.empty())
                check(vmrootset(in_.get(), name_.c_str(), first, root_traits<T>::type,
                                root_traits<T>::version | detail::managed_mark),
                      "object " + name_);
        }

        basic_managed_image &in_;
        std::string name_;
        bool find_;
        size_type n_;
    };
};

/* An image whose objects lie at the same address in every process: containers of the standard library are good. */
using managed_image = basic_managed_image<image_allocator>;

/* An image that is opened at other addresses when its own are taken: for offset_ptr, and for containers that keep no
 * other pointers, as those of Boost.Container. */
using offset_managed_image = basic_managed_image<offset_allocator>;

} // namespace vm

#endif
