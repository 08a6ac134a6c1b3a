# SPDX-License-Identifier: MIT
# Conan 2. The tree that this recipe lies in is exported with it.
import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy


class Vmalloc(ConanFile):
    name = "vmalloc"
    version = "1.0.0"
    license = "MIT"
    description = "Memory in regions, with disciplines and methods; and malloc on top of them"
    topics = ("memory", "allocator", "region", "malloc")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "malloc": [True, False]}
    default_options = {"shared": True, "malloc": True}

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*", "tools/*", "doc/man/*",
                        "share/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("vmalloc is packaged for Linux")

    def configure(self):
        self.settings.rm_safe("compiler.libcxx")
        self.settings.rm_safe("compiler.cppstd")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["BUILD_TESTING"] = False
        toolchain.cache_variables["VM_SYMBOLS"] = False
        toolchain.cache_variables["VM_ZLIB"] = False
        toolchain.cache_variables["VM_MALLOC"] = bool(self.options.malloc)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    # The project installs a package of its own for CMake, which has all targets.
    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "vmalloc")]
        self.cpp_info.libs = ["vmalloc"]
        self.cpp_info.system_libs = ["pthread"]
