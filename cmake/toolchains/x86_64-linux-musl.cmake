# musl on x86-64, with musl-gcc (Debian: musl-tools). The programs run on this machine as they are.
# Needs: musl-gcc
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER musl-gcc)
# The kernel's headers are the host's; none of glibc's beside them may be found.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/kernel)
foreach(header linux asm-generic)
    file(CREATE_LINK /usr/include/${header} ${CMAKE_BINARY_DIR}/kernel/${header} SYMBOLIC)
endforeach()
file(CREATE_LINK /usr/include/x86_64-linux-gnu/asm ${CMAKE_BINARY_DIR}/kernel/asm SYMBOLIC)
string(APPEND CMAKE_C_FLAGS_INIT " -idirafter ${CMAKE_BINARY_DIR}/kernel")
# musl-gcc does not ask for the table that unwinders look for, as compilers of systems with musl do.
foreach(kind EXE SHARED MODULE)
    string(APPEND CMAKE_${kind}_LINKER_FLAGS_INIT " -Wl,--eh-frame-hdr")
endforeach()
# Debian's folders of musl, and nothing of the host's.
set(CMAKE_FIND_ROOT_PATH /usr/lib/musl /usr/include/x86_64-linux-musl /usr/lib/x86_64-linux-musl)
foreach(what LIBRARY INCLUDE PACKAGE)
    set(CMAKE_FIND_ROOT_PATH_MODE_${what} ONLY)
endforeach()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
