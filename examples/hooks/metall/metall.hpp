/* SPDX-License-Identifier: MIT */
/*
 * The names of Metall (LLNL) over managed images: programs that include <metall/metall.hpp> are built with the folder
 * above this one in front of Metall's own.  A datastore is one file here, where theirs is a directory.
 *
 * What is not here: what looks into Metall's own structures.  What is better: a process that is killed leaves the last
 * flush(), snapshot() or closing, where Metall refuses to open.
 *
 * Objects are those of vm::managed_image without names; what Metall knows of them (name, kind, length, type, a
 * description) is kept in the image as well, in `objects` below and found in constant time.
 * As in Metall nothing throws but constructors and destructors of objects: check_sanity() tells what did not open.
 */
#ifndef METALL_METALL_HPP
#define METALL_METALL_HPP 1

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <sys/stat.h>
#include <vmalloc/managed.hpp>

#if __has_include(<boost/container/scoped_allocator.hpp>) /* Metall needs Boost, and uses its containers */
#include <boost/container/scoped_allocator.hpp>
#endif
#if __has_include(<metall/detail/hash.hpp>) /* Metall's own folder is behind: its containers use these */
#include <metall/detail/hash.hpp>
#endif
#if __has_include(<metall/detail/utilities.hpp>)
#include <metall/detail/utilities.hpp>
#endif
#if __has_include(<metall/version.hpp>)
#include <metall/version.hpp>
#endif
#if __has_include(<metall/detail/mmap.hpp>)
#include <metall/detail/mmap.hpp>
#endif
#if __has_include(<metall/logger.hpp>)
#include <metall/logger.hpp>
#endif

namespace metall {

using vm::anonymous_instance;
using vm::anonymous_instance_t;
using vm::create_only;
using vm::create_only_t;
using vm::offset_ptr;
using vm::open_only;
using vm::open_only_t;
using vm::open_read_only;
using vm::open_read_only_t;
using vm::unique_instance;
using vm::unique_instance_t;
using version_type = unsigned int;

template <class T> T *to_raw_pointer(const offset_ptr<T> &p) { return p.get(); }
template <class T> T *to_raw_pointer(T *p) { return p; }

namespace over_images {

template <class T> using in_image = vm::image_allocator<T>;
using text = std::basic_string<char, std::char_traits<char>, in_image<char>>;

enum class kind { named_kind, unique_kind, anonymous_kind };

/* What is known of one object, or array of them. */
class object {
  public:
    object(const std::string &name, void *at, std::size_t n, std::size_t type, kind k, const in_image<char> &in)
        : name_(name.begin(), name.end(), in), description_(in), at_(at), n_(n), type_(type), kind_(k)
    {
    }
    const text &name() const { return name_; }
    const text &description() const { return description_; }
    std::size_t length() const { return n_; }
    std::size_t type_id() const { return type_; }
    template <class T> bool is_type() const { return type_ == typeid(T).hash_code(); }
    void *at() const { return at_; }
    std::ptrdiff_t offset() const { return static_cast<char *>(at_) - static_cast<char *>(base()); }
    kind what() const { return kind_; }
    void describe(const std::string &s) { description_.assign(s.begin(), s.end()); }

  private:
    void *base() const /* of the image */
    {
        Vmimgstat_t st;
        return vmimgstat(vmregion(at_), &st) == 0 ? st.base : nullptr;
    }
    text name_, description_;
    void *at_;
    std::size_t n_, type_;
    kind kind_;
};

/* All of them, in the image. */
struct objects {
    using list = std::list<object, in_image<object>>;
    using place = list::iterator;
    template <class K, class H>
    using table = std::unordered_map<K, place, H, std::equal_to<K>, in_image<std::pair<const K, place>>>;
    struct hash {
        std::size_t operator()(const text &s) const
        {
            return std::hash<std::string_view>()(std::string_view(s.data(), s.size()));
        }
    };
    explicit objects(const in_image<char> &in)
        : of{list(in), list(in), list(in)}, byname{table<text, hash>(in), table<text, hash>(in)}, byaddress(in), description(in)
    {
    }
    list of[3];              /* by kind, in the order that they were made */
    table<text, hash> byname[2];
    table<void *, std::hash<void *>> byaddress;
    text description;
    std::size_t idle = 0; /* blocks of a datastore without objects */
};

/* Objects of one kind in a datastore that is not open otherwise. */
class accessor;

} // namespace over_images

template <class...> class basic_manager {
    using image = vm::managed_image;
    using objects = over_images::objects;
    using object = over_images::object;
    template <class T, bool Iterate, bool Many> class maker;

  public:
    using path_type = std::string;
    using size_type = std::size_t;
    using void_pointer = void *;
    using difference_type = std::ptrdiff_t;
    using version_type = metall::version_type;
    using instance_kind = over_images::kind;
    template <class T> using allocator_type = vm::image_allocator<T>;
#if __has_include(<boost/container/scoped_allocator.hpp>)
    template <class T> using scoped_allocator_type = boost::container::scoped_allocator_adaptor<allocator_type<T>>;
#else
    template <class T> using scoped_allocator_type = std::scoped_allocator_adaptor<allocator_type<T>>;
#endif
    using const_named_iterator = objects::list::const_iterator;
    using const_unique_iterator = const_named_iterator;
    using const_anonymous_iterator = const_named_iterator;

    /* ---- opening ---- */

    basic_manager(open_only_t mode, const path_type &path) noexcept { open(mode, path); }
    basic_manager(open_read_only_t mode, const path_type &path) noexcept { open(mode, path); }
    /* Takes the place of what is there. */
    basic_manager(create_only_t mode, const path_type &path, size_type capacity = 0) noexcept
    {
        (void)remove(path);
        above(path);
        open(mode, path, capacity);
    }
    bool check_sanity() const noexcept { return all_ != nullptr; }
    bool read_only() const noexcept { return !check_sanity() || in_->read_only(); }

    /* ---- objects by name ---- */

    template <class T, class Name> maker<T, false, false> construct(const Name &name) { return {*this, name, false}; }
    template <class T, class Name> maker<T, false, false> find_or_construct(const Name &name) { return {*this, name, true}; }
    template <class T, class Name> maker<T, true, false> construct_it(const Name &name) { return {*this, name, false}; }
    template <class T, class Name> maker<T, true, false> find_or_construct_it(const Name &name)
    {
        return {*this, name, true};
    }
    template <class T, class Name> std::pair<T *, size_type> find(const Name &name) const
    {
        const object *o = look<T>(key<T>(name));
        return {o != nullptr ? static_cast<T *>(o->at()) : nullptr, o != nullptr ? o->length() : 0};
    }
    template <class T, class Name> bool destroy(const Name &name) { return destroy_ptr(find<T>(name).first); }
    template <class T> bool destroy_ptr(const T *p)
    {
        auto *at = const_cast<std::remove_cv_t<T> *>(p);
        const object *o = read_only() ? nullptr : lookup(p);
        if (o == nullptr)
            return false;
        const bool same = o->template is_type<T>();
        drop(at);
        if (same)
            return in_->destroy_ptr(at);
        in_->deallocate(reinterpret_cast<char *>(at) - vmaddr(in_->get(), at)); /* whose destructor is not known */
        return true;
    }

    /* ---- what is known of an object ---- */

    template <class T> const char *get_instance_name(const T *p) const noexcept
    {
        const object *o = lookup(p);
        return o != nullptr && o->what() != instance_kind::anonymous_kind ? o->name().c_str() : nullptr;
    }
    template <class T> instance_kind get_instance_kind(const T *p) const noexcept
    {
        const object *o = lookup(p);
        return o != nullptr ? o->what() : instance_kind();
    }
    template <class T> size_type get_instance_length(const T *p) const noexcept
    {
        const object *o = lookup(p);
        return o != nullptr ? o->length() : 0;
    }
    template <class T> bool is_instance_type(const void *p) const noexcept
    {
        const object *o = lookup(p);
        return o != nullptr && o->template is_type<T>();
    }
    template <class T> bool get_instance_description(const T *p, std::string *s) const noexcept
    {
        const object *o = lookup(p);
        if (o != nullptr)
            s->assign(o->description().begin(), o->description().end());
        return o != nullptr;
    }
    template <class T> bool set_instance_description(const T *p, const std::string &s) noexcept
    {
        object *o = read_only() ? nullptr : lookup(p);
        if (o != nullptr)
            o->describe(s);
        return o != nullptr;
    }
    size_type get_num_named_objects() const noexcept { return count(0); }
    size_type get_num_unique_objects() const noexcept { return count(1); }
    size_type get_num_anonymous_objects() const noexcept { return count(2); }
    const_named_iterator named_begin() const noexcept { return first(0); }
    const_named_iterator named_end() const noexcept { return behind(0); }
    const_unique_iterator unique_begin() const noexcept { return first(1); }
    const_unique_iterator unique_end() const noexcept { return behind(1); }
    const_anonymous_iterator anonymous_begin() const noexcept { return first(2); }
    const_anonymous_iterator anonymous_end() const noexcept { return behind(2); }
    static auto access_named_object_attribute(const path_type &path) { return access(path, 0); }
    static auto access_unique_object_attribute(const path_type &path) { return access(path, 1); }
    static auto access_anonymous_object_attribute(const path_type &path) { return access(path, 2); }

    /* ---- memory ---- */

    void *allocate(size_type n) const noexcept { return check_sanity() ? vmalloc(in_->get(), n) : nullptr; }
    void *allocate_aligned(size_type n, size_type align) const noexcept
    {
        const bool good = align >= sizeof(void *) && align <= chunk_size() && (align & (align - 1)) == 0 && n % align == 0;
        return check_sanity() && good ? vmalign(in_->get(), n, align) : nullptr;
    }
    void deallocate(void *p) const noexcept
    {
        if (p != nullptr && check_sanity())
            (void)vmfree(in_->get(), p);
    }
    template <class T = std::byte> allocator_type<T> get_allocator() const { return allocator_type<T>(in_->get()); }
    const void *get_address() const noexcept { return check_sanity() ? in_->get_address() : nullptr; }
    size_type get_size() const noexcept { return check_sanity() ? in_->get_size() : 0; }
    /* What is left is what this class keeps. */
    bool all_memory_deallocated() const { return !check_sanity() || in_->stat().n_busy <= all_->idle; }
    static constexpr size_type chunk_size() noexcept { return size_type(1) << 21; }

    /* ---- the datastore as a whole ---- */

    void flush(bool = true) noexcept
    {
        if (check_sanity())
            (void)in_->flush();
    }
    bool snapshot(const path_type &path, bool = true, int = 0) noexcept
    {
        above(path);
        return check_sanity() && in_->snapshot(path);
    }
    static bool copy(const path_type &from, const path_type &to, bool = true, int = 0) noexcept
    {
        basic_manager m(open_read_only, from);
        above(to);
        return m.check_sanity() && m.in_->snapshot(to);
    }
    static std::future<bool> copy_async(path_type from, path_type to, bool = true, int = 0)
    {
        return std::async(std::launch::async, [from, to] { return copy(from, to); });
    }
    static bool remove(const path_type &path) noexcept { return std::remove(path.c_str()) == 0; }
    static std::future<bool> remove_async(path_type path)
    {
        return std::async(std::launch::async, [path] { return remove(path); });
    }
    /* Whether there is an image at path, of which this process could have the last commit: also while it is written. */
    static bool consistent(const path_type &path) noexcept
    {
        Vmalloc_t *vm = basic_manager(view(), path).check_sanity() ? nullptr : look_into(path);
        return vm != nullptr ? vmclose(vm) == 0 : basic_manager(view(), path).check_sanity();
    }
    /* A copy has another one, without having been written to. */
    std::string get_uuid() const noexcept { return check_sanity() ? uuid_of(in_->get(), path_) : std::string(); }
    static std::string get_uuid(const path_type &path) noexcept
    {
        const basic_manager open(view(), path);
        Vmalloc_t *vm = open.check_sanity() ? nullptr : look_into(path);
        const std::string uuid = vm != nullptr ? uuid_of(vm, path) : open.get_uuid();
        if (vm != nullptr)
            (void)vmclose(vm);
        return uuid;
    }
    version_type get_version() const noexcept { return check_sanity() ? 3000 : 0; } /* 0.30 */
    static version_type get_version(const path_type &path) noexcept { return consistent(path) ? 3000 : 0; }
    bool set_description(const std::string &s) noexcept
    {
        if (!check_sanity() || read_only())
            return false;
        all_->description = text_of(s);
        return true;
    }
    static bool set_description(const path_type &path, const std::string &s) noexcept
    {
        basic_manager m(view(), path);
        return m.check_sanity() ? m.set_description(s) : basic_manager(open_only, path).set_description(s);
    }
    bool get_description(std::string *s) const noexcept
    {
        if (check_sanity())
            s->assign(all_->description.begin(), all_->description.end());
        return check_sanity();
    }
    static bool get_description(const path_type &path, std::string *s) noexcept
    {
        basic_manager m(view(), path);
        return m.check_sanity() ? m.get_description(s) : basic_manager(open_read_only, path).get_description(s);
    }

  private:
    friend class over_images::accessor;
    static constexpr const char *root = "metall", *number = "metall number";

    template <class Mode> void open(Mode mode, const path_type &path, size_type capacity = 0) noexcept
    {
        try {
            path_ = path;
            lock_ = std::make_shared<std::recursive_mutex>();
            if constexpr (std::is_same_v<Mode, create_only_t>)
                in_ = std::make_shared<image>(mode, path, std::max(capacity, size_type(64) << 20));
            else
                in_ = std::make_shared<image>(mode, path);
            all_ = in_->template find<objects>(root).first;
            if (all_ == nullptr && !in_->read_only()) {
                all_ = in_->template construct<objects>(root)(in_->template get_allocator<char>());
                Vmalloc_t *vm = in_->get();
                (void)vmrootset(vm, number, reinterpret_cast<void *>(std::uintptr_t(std::random_device()()) | 1), 0, 0);
                all_->byaddress.reserve(16);
                for (auto &names : all_->byname)
                    names.reserve(16);
                all_->idle = in_->stat().n_busy;
                in_->commit();
            }
            std::lock_guard<std::mutex> hold(table().first);
            table().second[path] = opened{in_, lock_, all_};
        } catch (const std::exception &) {
            all_ = nullptr;
            in_.reset();
        }
    }

    /* As Metall, make the folders that are not there. */
    static void above(const path_type &path)
    {
        std::error_code ignored;
        (void)std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    }

    over_images::text text_of(const std::string &s) const { return {s.begin(), s.end(), in_->template get_allocator<char>()}; }
    static std::string uuid_of(Vmalloc_t *vm, const path_type &path)
    {
        struct stat st;
        const auto n = reinterpret_cast<std::uintptr_t>(vmrootget(vm, number, nullptr));
        return stat(path.c_str(), &st) == 0 ? std::to_string(n) + '-' + std::to_string(st.st_ino) : std::string();
    }
    /* For its roots alone, wherever there is room: where the original is open a copy cannot lie at its own address. */
    static Vmalloc_t *look_into(const path_type &path)
    {
        Vmimgopt_t options = Vmimgopt_t();
        options.flags = VM_IMGREAD | VM_IMGANYWHERE;
        return vmimage(path.c_str(), &options);
    }

    /* What this process has open. */
    struct opened {
        std::weak_ptr<image> in;
        std::weak_ptr<std::recursive_mutex> lock;
        objects *all;
    };
    static std::pair<std::mutex, std::unordered_map<std::string, opened>> &table()
    {
        static std::pair<std::mutex, std::unordered_map<std::string, opened>> all;
        return all;
    }
    /* The same image once more, if this process has it open. */
    struct view {};
    basic_manager(view, const path_type &path) : path_(path)
    {
        std::lock_guard<std::mutex> hold(table().first);
        const auto found = table().second.find(path);
        if (found == table().second.end() || (in_ = found->second.in.lock()) == nullptr)
            return;
        lock_ = found->second.lock.lock();
        all_ = found->second.all;
    }

    struct key_t {
        instance_kind kind;
        std::string name;
    };
    template <class T> static key_t key(const char *name) { return {instance_kind::named_kind, name}; }
    template <class T> static key_t key(const std::string &name) { return {instance_kind::named_kind, name}; }
    template <class T> static key_t key(unique_instance_t) { return {instance_kind::unique_kind, typeid(T).name()}; }
    template <class T> static key_t key(anonymous_instance_t) { return {instance_kind::anonymous_kind, ""}; }

    template <class T> const object *look(const key_t &k) const
    {
        if (!check_sanity() || k.kind == instance_kind::anonymous_kind)
            return nullptr;
        std::lock_guard<std::recursive_mutex> hold(*lock_);
        const auto &names = all_->byname[static_cast<int>(k.kind)];
        const auto found = names.find(text_of(k.name));
        return found != names.end() && found->second->template is_type<T>() ? &*found->second : nullptr;
    }
    object *lookup(const void *p) const
    {
        if (!check_sanity() || p == nullptr)
            return nullptr;
        std::lock_guard<std::recursive_mutex> hold(*lock_);
        const auto found = all_->byaddress.find(const_cast<void *>(p));
        return found != all_->byaddress.end() ? &*found->second : nullptr;
    }
    const_named_iterator first(int k) const
    {
        return check_sanity() ? const_named_iterator(all_->of[k].begin()) : const_named_iterator();
    }
    const_named_iterator behind(int k) const
    {
        return check_sanity() ? const_named_iterator(all_->of[k].end()) : const_named_iterator();
    }
    size_type count(int k) const { return check_sanity() ? all_->of[k].size() : 0; }

    void enter(const key_t &k, void *p, size_type n, size_type type)
    {
        const int i = static_cast<int>(k.kind);
        auto &list = all_->of[i];
        list.emplace_back(k.name, p, n, type, k.kind, in_->template get_allocator<char>());
        try {
            all_->byaddress.emplace(p, std::prev(list.end()));
            if (k.kind != instance_kind::anonymous_kind)
                all_->byname[i].emplace(text_of(k.name), std::prev(list.end()));
        } catch (...) {
            all_->byaddress.erase(p);
            list.pop_back();
            throw;
        }
    }
    void drop(void *p)
    {
        std::lock_guard<std::recursive_mutex> hold(*lock_);
        const auto found = all_->byaddress.find(p);
        const auto at = found->second;
        const int i = static_cast<int>(at->what());
        if (at->what() != instance_kind::anonymous_kind)
            all_->byname[i].erase(at->name());
        all_->byaddress.erase(found);
        all_->of[i].erase(at);
    }
    static auto access(const path_type &path, int k); /* below */

    std::shared_ptr<std::recursive_mutex> lock_; /* before the image: it ends after it */
    std::shared_ptr<image> in_;
    path_type path_;
    objects *all_ = nullptr;
};

/* What construct<T>(name) is: (arguments) makes one object, [n](arguments) makes n.  nullptr: the name is taken. */
template <class... Ignored> template <class T, bool Iterate, bool Many> class basic_manager<Ignored...>::maker {
  public:
    template <class Name> maker(basic_manager &in, const Name &name, bool find) : maker(in, key<T>(name), find, 1, 0) {}
    maker<T, Iterate, true> operator[](size_type n) const { return {in_, key_, find_, n, 0}; }
    template <class... Args> T *operator()(Args &&...args) const
    {
        if (!in_.check_sanity())
            return nullptr;
        std::lock_guard<std::recursive_mutex> hold(*in_.lock_);
        const object *there = in_.template look<T>(key_);
        if (there != nullptr)
            return find_ && there->length() == n_ ? static_cast<T *>(there->at()) : nullptr;
        if (in_.read_only() || taken())
            return nullptr;
        T *p = make(std::forward<Args>(args)...);
        try {
            in_.enter(key_, const_cast<std::remove_cv_t<T> *>(p), n_, typeid(T).hash_code());
        } catch (...) {
            in_.in_->destroy_ptr(p);
            throw;
        }
        return p;
    }

  private:
    template <class, bool, bool> friend class maker;
    maker(basic_manager &in, const key_t &k, bool find, size_type n, int) : in_(in), key_(k), find_(find), n_(n) {}
    bool taken() const /* by another type */
    {
        return key_.kind != instance_kind::anonymous_kind &&
               in_.all_->byname[static_cast<int>(key_.kind)].count(in_.text_of(key_.name)) > 0;
    }
    template <class... Args> T *make(Args &&...args) const
    {
        if constexpr (Iterate)
            return in_.in_->template construct_it<T>(anonymous_instance)[n_](std::forward<Args>(args)...);
        else if constexpr (Many)
            return in_.in_->template construct<T>(anonymous_instance)[n_](std::forward<Args>(args)...);
        else
            return in_.in_->template construct<T>(anonymous_instance)(std::forward<Args>(args)...);
    }
    basic_manager &in_;
    key_t key_;
    bool find_;
    size_type n_;
};

using manager = basic_manager<>;

/* ---- objects of a datastore that nobody has open for writing but, if that can be, this ---- */

class over_images::accessor {
  public:
    using iterator = manager::const_named_iterator;
    accessor(const std::string &path, int k) : in_(opened(path)), kind_(k) {}
    bool good() const { return in_->check_sanity(); }
    std::size_t num_objects() const { return in_->count(kind_); }
    iterator begin() const { return in_->first(kind_); }
    iterator end() const { return in_->behind(kind_); }
    iterator find(const std::string &name) const
    {
        return std::find_if(begin(), end(), [&name](const object &o) { return o.name().compare(name.c_str()) == 0; });
    }
    template <class T> iterator find(unique_instance_t) const { return find(typeid(T).name()); }
    std::size_t count(const std::string &name) const { return find(name) != end(); }
    template <class T> std::size_t count(unique_instance_t) const { return count(typeid(T).name()); }
    bool set_description(iterator at, const std::string &s)
    {
        return at != end() && in_->set_instance_description(static_cast<const char *>(at->at()), s);
    }
    bool set_description(const std::string &name, const std::string &s) { return set_description(find(name), s); }
    template <class T> bool set_description(unique_instance_t, const std::string &s)
    {
        return set_description(find<T>(unique_instance), s);
    }

  private:
    /* An image is open once in a process. */
    static std::shared_ptr<manager> opened(const std::string &path)
    {
        std::shared_ptr<manager> m(new manager(manager::view(), path));
        if (!m->check_sanity())
            m = std::make_shared<manager>(open_only, path);
        return m->check_sanity() ? m : std::make_shared<manager>(open_read_only, path);
    }
    std::shared_ptr<manager> in_;
    int kind_;
};

template <class... Ignored> auto basic_manager<Ignored...>::access(const path_type &path, int k)
{
    return over_images::accessor(path, k);
}

} // namespace metall

#endif
