/* SPDX-License-Identifier: MIT */
/*
 * vmalloc for C++17 and later: a region that closes itself, a std::pmr::memory_resource and a standard
 * allocator over any region, unique pointers into one, and a pointer that may lie in memory mapped at
 * another address each time.
 *
 *     vm::region parse{Vmdcheap, Vmlast};              // dropped whole at the end of the scope
 *     vm::memory_resource from{parse};
 *     std::pmr::vector<std::pmr::string> words{&from};
 *
 * Closing a region frees its memory and runs no destructors: who puts objects in it that own
 * something else destroys them before, or uses vm::unique_ptr.  Failure to allocate is
 * std::bad_alloc, failure to open std::system_error.  Threads: as the region; the classes themselves
 * as those of the standard library.
 */
#ifndef VMALLOC_HPP
#define VMALLOC_HPP 1

#if __cplusplus < 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201703L)
#error "<vmalloc/vmalloc.hpp> needs C++17: compile with -std=c++17 or later"
#endif

#include <vmalloc.h>
#include <vmalloc/discipline.h>
#include <vmalloc/method.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

/* Older standard libraries of C++17 lack it; then vm::memory_resource is not there. */
#if __has_include(<memory_resource>)
#include <memory_resource>
#define VMALLOC_HPP_PMR 1
#endif

namespace vm {

namespace detail {

/* Whether single blocks of the region can be freed: Vmlast frees its last one only, and calls the
 * others an error, also when Vmdebug works over it. */
inline bool frees(const Vmalloc_t *r) noexcept
{
    if ((r->meth.meth & (VM_MTDEBUG | VM_MTPROFILE)) != 0)
        return (vmunder(&r->meth)->meth & VM_MTLAST) == 0;
    return (r->meth.meth & VM_MTLAST) == 0;
}

/* The calls on blocks as the macros of vmalloc.h make them, without their casts. */
inline void *allocate(Vmalloc_t *r, std::size_t bytes, std::size_t align)
{
    std::size_t size = bytes == 0 ? 1 : bytes;
    void *p = align <= VM_ALIGN ? r->meth.allocf(r, size, 0)
                                : r->meth.alignf(r, size, align, 0);
    if (p == nullptr)
        throw std::bad_alloc();
    return p;
}

inline void deallocate(Vmalloc_t *r, void *p) noexcept
{
    int e = errno;
    if (p != nullptr && frees(r))
        (void)r->meth.freef(r, p, 0);
    errno = e;
}

/* The block that an object begins, where p may point to a base in the midst of it. */
template <class T> void *block_of(T *p) noexcept
{
    if constexpr (std::is_polymorphic_v<T>)
        return const_cast<void *>(dynamic_cast<const volatile void *>(p));
    else
        return const_cast<void *>(static_cast<const volatile void *>(p));
}

/* n * size; std::bad_array_new_length when that overflows. */
inline std::size_t bytes_of(std::size_t n, std::size_t size)
{
    if (n > std::numeric_limits<std::size_t>::max() / size)
        throw std::bad_array_new_length();
    return n * size;
}

struct free_discipline {
    void operator()(Vmdisc_t *disc) const noexcept { (void)vmdcfree(disc); }
};

} // namespace detail

/* Owner of a discipline that a function of <vmalloc/discipline.h> made, declared before the regions
 * that use it so that it goes after them:
 *
 *     vm::discipline quota{vmdclimit(Vmdcsystem, 0, 1 << 20, nullptr, nullptr)};
 *     vm::region r{quota.get()};
 */
using discipline = std::unique_ptr<Vmdisc_t, detail::free_discipline>;

/* A region that is closed at the end of its scope.  Moved, not copied; an empty one (moved from, or
 * released) may only be assigned to and destroyed. */
class region {
  public:
    /* Opens a region: see vmopen().  std::system_error when that fails. */
    explicit region(Vmdisc_t *disc = Vmdcheap, Vmethod_t *meth = Vmbest, int flags = 0)
        : vm_(vmopen(disc, meth, flags))
    {
        if (vm_ == nullptr)
            throw std::system_error(errno, std::generic_category(), "vmopen");
    }

    /* Takes an open region over. */
    explicit region(Vmalloc_t *open) noexcept : vm_(open) {}

    region(region &&other) noexcept : vm_(std::exchange(other.vm_, nullptr)) {}

    region &operator=(region &&other) noexcept
    {
        if (this != &other) {
            (void)close();
            vm_ = std::exchange(other.vm_, nullptr);
        }
        return *this;
    }

    region(const region &) = delete;
    region &operator=(const region &) = delete;

    ~region() { (void)close(); }

    Vmalloc_t *get() const noexcept { return vm_; }
    explicit operator bool() const noexcept { return vm_ != nullptr; }

    /* Give the region up without closing it. */
    Vmalloc_t *release() noexcept { return std::exchange(vm_, nullptr); }

    /* Close it now.  Whether the discipline let it go; if not, the region stays open and here. */
    bool close() noexcept
    {
        if (vm_ == nullptr)
            return true;
        if (vmclose(vm_) != 0)
            return false;
        vm_ = nullptr;
        return true;
    }

    /* At least `bytes` bytes, aligned to align (any number, see vmalign()). */
    void *allocate(std::size_t bytes, std::size_t align = VM_ALIGN)
    {
        return detail::allocate(vm_, bytes, align);
    }
    void deallocate(void *p) noexcept { detail::deallocate(vm_, p); }

    /* An object in the region.  When its constructor throws, its memory is freed again. */
    template <class T, class... Args> T *make(Args &&...args)
    {
        void *p = allocate(sizeof(T), alignof(T));
        try {
            return ::new (p) T(std::forward<Args>(args)...);
        } catch (...) {
            deallocate(p);
            throw;
        }
    }
    template <class T> void destroy(T *p) noexcept
    {
        if (p != nullptr) {
            void *block = detail::block_of(p);
            p->~T();
            deallocate(block);
        }
    }

    /* All blocks go, without destructors; the segments stay. */
    void clear() noexcept { (void)vmclear(vm_); }
    void compact() noexcept { (void)vm_->meth.compactf(vm_, 0); }
    Vmstat_t stat() const
    {
        Vmstat_t st;
        if (vmstat(vm_, &st) != 0)
            throw std::system_error(errno, std::generic_category(), "vmstat");
        return st;
    }
    const char *name(const char *to = nullptr) noexcept { return vmname(vm_, to); }

  private:
    Vmalloc_t *vm_;
};

#ifdef VMALLOC_HPP_PMR
/* A region as a memory resource, for std::pmr containers.  It does not own the region, which must stay
 * open as long as it is used.  Two are equal when they are of one region. */
class memory_resource final : public std::pmr::memory_resource {
  public:
    explicit memory_resource(Vmalloc_t *open) noexcept : vm_(open) {}
    explicit memory_resource(const region &r) noexcept : vm_(r.get()) {}

    Vmalloc_t *get() const noexcept { return vm_; }

  private:
    void *do_allocate(std::size_t bytes, std::size_t align) override
    {
        return detail::allocate(vm_, bytes, align);
    }
    void do_deallocate(void *p, std::size_t, std::size_t) override
    {
        detail::deallocate(vm_, p);
    }
    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        const memory_resource *same = dynamic_cast<const memory_resource *>(&other);
        return same != nullptr && same->vm_ == vm_;
    }

    Vmalloc_t *vm_;
};
#endif

/* A standard allocator over a region, which it does not own.  A container takes it along when it is
 * moved or swapped, and keeps its own when it is assigned a copy. */
template <class T> class allocator {
  public:
    using value_type = T;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;

    explicit allocator(Vmalloc_t *open) noexcept : vm_(open) {}
    allocator(const region &r) noexcept : vm_(r.get()) {}
    template <class U> allocator(const allocator<U> &other) noexcept : vm_(other.get()) {}

    T *allocate(std::size_t n)
    {
        return static_cast<T *>(
            detail::allocate(vm_, detail::bytes_of(n, sizeof(T)), alignof(T)));
    }
    void deallocate(T *p, std::size_t) noexcept { detail::deallocate(vm_, p); }

    Vmalloc_t *get() const noexcept { return vm_; }

  private:
    Vmalloc_t *vm_;
};

template <class T, class U> bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return a.get() == b.get();
}
template <class T, class U> bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
    return !(a == b);
}

/* Destroys an object and frees it in its region. */
template <class T> class deleter {
  public:
    deleter() noexcept : vm_(nullptr) {}
    explicit deleter(Vmalloc_t *open) noexcept : vm_(open) {}
    template <class U, class = std::enable_if_t<std::is_convertible_v<U *, T *>>>
    deleter(const deleter<U> &other) noexcept : vm_(other.get())
    {
        /* vmfree() takes the start of a block only, and that of a base may be elsewhere. */
        static_assert(std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>> ||
                          std::has_virtual_destructor_v<T>,
                      "a base needs a virtual destructor");
    }

    void operator()(T *p) const noexcept
    {
        void *block = detail::block_of(p);
        p->~T();
        detail::deallocate(vm_, block);
    }
    Vmalloc_t *get() const noexcept { return vm_; }

  private:
    Vmalloc_t *vm_;
};

/* The same for an array of n objects, which go in reverse order. */
template <class T> class deleter<T[]> {
  public:
    deleter() noexcept : vm_(nullptr), n_(0) {}
    deleter(Vmalloc_t *open, std::size_t n) noexcept : vm_(open), n_(n) {}
    template <class U, class = std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]>>>
    deleter(const deleter<U[]> &other) noexcept : vm_(other.get()), n_(other.size())
    {
    }

    void operator()(T *p) const noexcept
    {
        for (std::size_t i = n_; i > 0; i--)
            p[i - 1].~T();
        detail::deallocate(vm_, const_cast<std::remove_cv_t<T> *>(p));
    }
    Vmalloc_t *get() const noexcept { return vm_; }
    std::size_t size() const noexcept { return n_; }

  private:
    Vmalloc_t *vm_;
    std::size_t n_;
};

template <class T> using unique_ptr = std::unique_ptr<T, deleter<T>>;

/* An object in the region, and its owner. */
template <class T, class... Args, class = std::enable_if_t<!std::is_array_v<T>>>
unique_ptr<T> make_unique(region &r, Args &&...args)
{
    return unique_ptr<T>(r.make<T>(std::forward<Args>(args)...), deleter<T>(r.get()));
}

/* make_unique<T[]>(r, n): n objects, each made as T().  When one throws, those before it are
 * destroyed and the memory is freed. */
template <class T, class = std::enable_if_t<std::is_array_v<T> && std::extent_v<T> == 0>>
unique_ptr<T> make_unique(region &r, std::size_t n)
{
    using element = std::remove_cv_t<std::remove_extent_t<T>>;
    void *p = r.allocate(detail::bytes_of(n, sizeof(element)), alignof(element));
    element *first = static_cast<element *>(p);
    try {
        std::uninitialized_value_construct_n(first, n);
    } catch (...) {
        r.deallocate(p);
        throw;
    }
    return unique_ptr<T>(first, deleter<T>(r.get(), n));
}

/* A pointer stored as the distance from itself: what it points to and it may lie in memory that is mapped
 * at another address the next time, if they keep their distance.  A random access iterator. */
template <class T> class offset_ptr {
    static constexpr std::ptrdiff_t null = 1; /* into itself: no object starts there */

  public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = offset_ptr;
    using reference = std::add_lvalue_reference_t<T>;
    using iterator_category = std::random_access_iterator_tag;
    template <class U> using rebind = offset_ptr<U>;

    offset_ptr() noexcept : off_(null) {}
    offset_ptr(T *p) noexcept { set(p); }
    /* A template, so that a 0 is a T * only: containers write pointer(0). */
    template <class U, class = std::enable_if_t<std::is_same_v<U, std::nullptr_t>>, class = void>
    offset_ptr(U) noexcept : off_(null)
    {
    }
    offset_ptr(const offset_ptr &other) noexcept { set(other.get()); }
    template <class U, class = std::enable_if_t<std::is_convertible_v<U *, T *>>>
    offset_ptr(const offset_ptr<U> &other) noexcept
    {
        set(other.get());
    }
    offset_ptr &operator=(const offset_ptr &other) noexcept
    {
        set(other.get());
        return *this;
    }

    template <class U = T, class = std::enable_if_t<!std::is_void_v<U>>>
    static offset_ptr pointer_to(U &object) noexcept
    {
        return offset_ptr(std::addressof(object));
    }

    T *get() const noexcept
    {
        return off_ == null ? nullptr
                            : reinterpret_cast<T *>(reinterpret_cast<std::uintptr_t>(this) +
                                                    static_cast<std::uintptr_t>(off_));
    }
    explicit operator bool() const noexcept { return off_ != null; }
    reference operator*() const noexcept { return *get(); }
    T *operator->() const noexcept { return get(); }
    reference operator[](difference_type i) const noexcept { return get()[i]; }

    offset_ptr &operator+=(difference_type n) noexcept
    {
        set(get() + n);
        return *this;
    }
    offset_ptr &operator-=(difference_type n) noexcept { return *this += -n; }
    offset_ptr &operator++() noexcept { return *this += 1; }
    offset_ptr &operator--() noexcept { return *this -= 1; }
    offset_ptr operator++(int) noexcept
    {
        offset_ptr old(*this);
        ++*this;
        return old;
    }
    offset_ptr operator--(int) noexcept
    {
        offset_ptr old(*this);
        --*this;
        return old;
    }
    friend offset_ptr operator+(offset_ptr p, difference_type n) noexcept { return p += n; }
    friend offset_ptr operator+(difference_type n, offset_ptr p) noexcept { return p += n; }
    friend offset_ptr operator-(offset_ptr p, difference_type n) noexcept { return p -= n; }
    friend difference_type operator-(const offset_ptr &a, const offset_ptr &b) noexcept
    {
        return a.get() - b.get();
    }
    friend bool operator==(const offset_ptr &a, const offset_ptr &b) noexcept
    {
        return a.get() == b.get();
    }
    friend bool operator!=(const offset_ptr &a, const offset_ptr &b) noexcept { return !(a == b); }
    friend bool operator<(const offset_ptr &a, const offset_ptr &b) noexcept
    {
        return std::less<T *>()(a.get(), b.get());
    }
    friend bool operator>(const offset_ptr &a, const offset_ptr &b) noexcept { return b < a; }
    friend bool operator<=(const offset_ptr &a, const offset_ptr &b) noexcept { return !(b < a); }
    friend bool operator>=(const offset_ptr &a, const offset_ptr &b) noexcept { return !(a < b); }

  private:
    void set(T *p) noexcept
    {
        off_ = p == nullptr ? null
                            : static_cast<std::ptrdiff_t>(
                                  reinterpret_cast<std::uintptr_t>(p) -
                                  reinterpret_cast<std::uintptr_t>(this));
    }

    std::ptrdiff_t off_;
};

} // namespace vm

#include <vmalloc/image.hpp>

#endif
