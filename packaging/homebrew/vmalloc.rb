# SPDX-License-Identifier: MIT
# Homebrew on Linux, from the tree that this recipe lies in. A tap with a release adds `homepage`, and `url` and
# `sha256` of the tar file that "make dist" makes.
class Vmalloc < Formula
  desc "Memory in regions, with disciplines and methods; and malloc on top of them"
  license "MIT"
  head "file://#{File.expand_path("../..", __dir__)}", using: :git, branch: "main"

  depends_on "cmake" => :build
  depends_on "elfutils"
  depends_on :linux
  depends_on "zlib"

  def install
    system "cmake", "-S", ".", "-B", "build", "-DBUILD_TESTING=OFF", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  test do
    (testpath/"test.c").write <<~C
      #include <vmalloc.h>
      int main(void)
      {
          Vmalloc_t *vm = vmopen(Vmdcsystem, Vmlast, 0);
          return vm == NULL || vmalloc(vm, 100) == NULL || vmclose(vm) != 0;
      }
    C
    system ENV.cc, "test.c", "-I#{include}", "-L#{lib}", "-lvmalloc", "-o", "test"
    system "./test"
    system bin/"vmalloc", "run", "true"
  end
end
