# glibc on 32-bit x86, with Debian's gcc-i686-linux-gnu. The programs run on an x86-64 machine as they are, with
# the loader and the libraries of the cross compiler, which are those of a 32-bit system.
# Needs: i686-linux-gnu-gcc
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(VM_TRIPLET i686-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.inc)
# Sizes are compared with limits that those of 32 bits never reach.
string(APPEND CMAKE_C_FLAGS_INIT " -Wno-type-limits")
set(lib /usr/${VM_TRIPLET}/lib)
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -Wl,--dynamic-linker=${lib}/ld-linux.so.2 -Wl,-rpath,${lib}")
