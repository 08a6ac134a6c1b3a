/* SPDX-License-Identifier: MIT */
/* A program as those for Metall are, built with metall/metall.hpp of this folder: each {} is a process of its own there. */
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <metall/metall.hpp>

using numbers = std::vector<int, metall::manager::allocator_type<int>>;

static int at(const std::string &path)
{
    metall::manager manager(metall::open_read_only, path);
    return *manager.find<int>(metall::unique_instance).first;
}

int main()
{
    const std::string path = "metall.image", before = "metall-before.image";

    {
        metall::manager manager(metall::create_only, path);
        numbers *list = manager.construct<numbers>("numbers")(manager.get_allocator<int>());
        list->push_back(5);
        *manager.construct<int>(metall::unique_instance)(1) += 1;
        manager.snapshot(before);
        *manager.find<int>(metall::unique_instance).first = 3;
    }
    std::printf("consistent: %s\n", metall::manager::consistent(path) ? "yes" : "no");
    {
        metall::manager manager(metall::open_only, path);
        numbers *list = manager.find<numbers>("numbers").first;
        std::string text;
        manager.set_instance_description(list, "what was counted");
        for (auto at = manager.named_begin(); at != manager.named_end(); ++at)
            if (manager.get_instance_description(at->at(), &text))
                std::printf("%s: %s\n", at->name().c_str(), text.c_str());
        std::printf("taken: %s\n", manager.construct<int>("numbers")(1) == nullptr ? "yes" : "no");
        list->push_back(10);
        std::printf("numbers: %d %d\n", (*list)[0], (*list)[1]);
        manager.destroy<numbers>("numbers");
    }
    std::printf("then: %d, now: %d\n", at(before), at(path));
    return metall::manager::remove(path) && metall::manager::remove(before) ? 0 : 1;
}
