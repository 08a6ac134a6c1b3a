/* SPDX-License-Identifier: MIT */
/*
 * Images for C++17 and later: a region in a file that is there again in the next run, with roots of a type,
 * and an allocator whose containers are there again with it.  <vmalloc/vmalloc.hpp> includes this.
 *
 *     using word = std::basic_string<char, std::char_traits<char>, vm::image_allocator<char>>;
 *     using list = std::vector<word, vm::image_allocator<word>>;
 *
 *     vm::image state{"words.img"};
 *     list &words = state.root<list>("words", vm::image_allocator<word>{state});   // found, or made
 *     words.emplace_back("once more", words.get_allocator());
 *     state.commit();
 *
 * An image lies at its own address in every process, so that plain pointers within it stay right, and
 * containers of the standard library do, for programs that were built with the same one.  (One that is opened
 * with VM_IMGANYWHERE may not: there vm::offset_ptr and vm::offset_allocator.)  What
 * has virtual functions, or points to code or out of the image, must not be kept in it: so
 * std::pmr containers are good for the process that made them.
 */
#ifndef VMALLOC_IMAGE_HPP
#define VMALLOC_IMAGE_HPP 1

#include <vmalloc/image.h>
#include <vmalloc/vmalloc.hpp>

#include <string>

namespace vm {

/* What an image fails with: code() is the errno of <vmalloc/image.h>, what() begins with the sentence that
 * tells why. */
class image_error : public std::system_error {
  public:
    image_error(int error, const std::string &why)
        : std::system_error(error, std::generic_category(), why)
    {
    }
};

/* What marks a root of type T, so that another one is not taken for it.  The default knows sizes
 * only: specialize it for a type whose layout changes. */
template <class T> struct root_traits {
    static constexpr unsigned long type = sizeof(T) * 256u + alignof(T);
    static constexpr unsigned int version = 0;
};

/* A committed image, closed at the end of its scope: what was not committed is dropped then, unless
 * it was opened with VM_IMGCLOSE.  All that vm::region can do, and the calls of <vmalloc/image.h>, of which
 * those that fail throw vm::image_error. */
class image : public region {
  public:
    /* Opens the image at path, which is made when there is none: see vmimage(). */
    explicit image(const std::string &path, Vmimgopt_t options = Vmimgopt_t())
        : region(open(path, options))
    {
    }

    /* What the end of its scope does when the last commit (VM_IMGCLOSE) cannot be made: it is dropped.  Who must
     * know calls commit() or close() before. */
    ~image()
    {
        if (!close())
            (void)drop();
    }
    image(image &&) noexcept = default;
    image &operator=(image &&other) noexcept
    {
        if (this != &other && !close())
            (void)drop();
        region::operator=(std::move(other));
        return *this;
    }

    /* Close it without what was not committed, whatever flags it was opened with. */
    bool drop() noexcept
    {
        if (get() == nullptr)
            return true;
        if (vmdrop(get()) != 0)
            return false;
        (void)release();
        return true;
    }

    void commit() { check(vmcommit(get()), "commit"); }
    void rollback() { check(vmrollback(get()), "rollback"); }
    void sync() { check(vmsync(get()), "sync"); }
    void snapshot(const std::string &path)
    {
        check(vmsnapshot(get(), path.c_str()), "snapshot " + path);
    }

    /* The object that root name leads to; nullptr: there is no such root.  EPROTO: it is of another
     * type or version. */
    template <class T> T *find(const char *name) const
    {
        Vmroot_t root;
        if (!lookup(name, &root))
            return nullptr;
        if (root.type != root_traits<T>::type || root.version != root_traits<T>::version)
            throw image_error(EPROTO, std::string("root ") + name + " is of another type");
        return static_cast<T *>(root.value);
    }

    /* The same; when there is none, it is made of args and the root is set to it. */
    template <class T, class... Args> T &root(const char *name, Args &&...args)
    {
        T *p = find<T>(name);
        if (p != nullptr)
            return *p;
        p = make<T>(std::forward<Args>(args)...);
        try {
            set(name, p);
        } catch (...) {
            destroy(p);
            throw;
        }
        return *p;
    }

    /* Let root name lead to an object in the image. */
    template <class T> void set(const char *name, T *object)
    {
        void *p = const_cast<std::remove_cv_t<T> *>(object);
        check(vmrootset(get(), name, p, root_traits<T>::type, root_traits<T>::version),
              std::string("root ") + name);
    }
    /* Remove root name, not what it leads to: whether there was one. */
    bool erase(const char *name)
    {
        int e = errno;
        int r = vmrootdel(get(), name);
        if (r != 0 && errno != ENOENT)
            throw image_error(errno, std::string("root ") + name);
        errno = e;
        return r == 0;
    }

  protected:
    explicit image(std::nullptr_t) noexcept : region(static_cast<Vmalloc_t *>(nullptr)) {}

    /* Whether there is a root of that name, and what it is. */
    bool lookup(const char *name, Vmroot_t *root) const
    {
        int e = errno;
        errno = 0;
        void *p = vmrootget(get(), name, root);
        int error = errno;
        errno = e;
        if (p == nullptr && error != 0 && error != ENOENT)
            throw image_error(error, std::string("root ") + name);
        return p != nullptr;
    }
    static void check(int r, const std::string &what)
    {
        if (r != 0)
            throw image_error(errno, what);
    }

  private:
    static Vmalloc_t *open(const std::string &path, Vmimgopt_t &options)
    {
        Vmalloc_t *vm = vmimage(path.c_str(), &options);
        if (vm == nullptr) {
            int e = errno;
            throw image_error(e, options.why[0] != '\0' ? options.why : path.c_str());
        }
        return vm;
    }
};

/* A standard allocator over an image that may itself lie in the image, as a container there keeps it: it holds
 * an address of the image and no open region, and asks vmregion() for that at each call.  Where the image
 * is not open, or lies at another address, std::bad_alloc. */
template <class T> class image_allocator {
  public:
    using value_type = T;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    image_allocator(Vmalloc_t *open) noexcept : in_(open->data) {}
    image_allocator(const region &r) noexcept : in_(r.get()->data) {}
    template <class U> image_allocator(const image_allocator<U> &other) noexcept : in_(other.in())
    {
    }

    T *allocate(std::size_t n)
    {
        Vmalloc_t *vm = vmregion(in_);
        if (vm == nullptr)
            throw std::bad_alloc();
        return static_cast<T *>(
            detail::allocate(vm, detail::bytes_of(n, sizeof(T)), alignof(T)));
    }
    void deallocate(T *p, std::size_t) noexcept
    {
        Vmalloc_t *vm = vmregion(in_);
        if (vm != nullptr)
            detail::deallocate(vm, p);
    }

    void *in() const noexcept { return in_; }

  private:
    void *in_;
};

/* The same for images that are opened at any address (VM_IMGANYWHERE): it and its containers hold offset_ptr. Good
 * for containers that use the pointers of their allocator throughout: in every library std::vector, in some no
 * others (libstdc++ 12 has strings and maps with plain ones).  allocate() throws std::bad_alloc where the image is not open. */
template <class T> class offset_allocator {
  public:
    using value_type = T;
    using pointer = offset_ptr<T>;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    offset_allocator(Vmalloc_t *open) noexcept : in_(reinterpret_cast<char *>(open->data)) {}
    offset_allocator(const region &r) noexcept : offset_allocator(r.get()) {}
    template <class U> offset_allocator(const offset_allocator<U> &other) noexcept : in_(other.in())
    {
    }

    pointer allocate(std::size_t n)
    {
        Vmalloc_t *vm = vmregion(in());
        if (vm == nullptr)
            throw std::bad_alloc();
        return pointer(
            static_cast<T *>(detail::allocate(vm, detail::bytes_of(n, sizeof(T)), alignof(T))));
    }
    void deallocate(pointer p, std::size_t) noexcept
    {
        Vmalloc_t *vm = vmregion(in());
        if (vm != nullptr)
            detail::deallocate(vm, p.get());
    }

    char *in() const noexcept { return in_.get(); }

  private:
    offset_ptr<char> in_;
};

template <class T, class U>
bool operator==(const offset_allocator<T> &a, const offset_allocator<U> &b) noexcept
{
    return a.in() == b.in();
}
template <class T, class U>
bool operator!=(const offset_allocator<T> &a, const offset_allocator<U> &b) noexcept
{
    return !(a == b);
}

template <class T, class U>
bool operator==(const image_allocator<T> &a, const image_allocator<U> &b) noexcept
{
    return a.in() == b.in();
}
template <class T, class U>
bool operator!=(const image_allocator<T> &a, const image_allocator<U> &b) noexcept
{
    return !(a == b);
}

} // namespace vm

#endif
