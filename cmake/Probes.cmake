# What the build asks the system, all of it, and what came out, printed when it is configured. The library itself
# asks nothing: what differs between systems is in the files of src/os/, chosen by their names (Rooms.cmake).

include(CheckIncludeFile)
include(CheckSymbolExists)
include(CheckCSourceCompiles)
include(CheckLinkerFlag)

find_path(LIBDW_INCLUDE_DIR elfutils/libdwfl.h)
find_library(LIBDW_LIBRARY dw)
check_linker_flag(C -Wl,--undefined-version VM_HAVE_UNDEFINED_VERSION)
check_include_file(sys/sdt.h VM_HAVE_SDT)
set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
check_symbol_exists(malloc_trim malloc.h VM_HAVE_MALLOC_TRIM)
check_symbol_exists(makecontext ucontext.h VM_HAVE_MAKECONTEXT)
unset(CMAKE_REQUIRED_DEFINITIONS)

set(VMALLOC_OS "" CACHE STRING "Files of src/os/ to take: linux, posix or win32; empty: those of the system")
set(VM_OS ${VMALLOC_OS})
if(VM_OS)
    if(NOT VM_OS MATCHES "^(linux|posix|win32)$")
        message(FATAL_ERROR "VMALLOC_OS is ${VM_OS}, which is none of linux, posix and win32")
    endif()
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    set(VM_OS linux)
elseif(WIN32)
    set(VM_OS win32)
else()
    set(VM_OS posix)
endif()

# What needs more of a system than its files of src/os/ offer is left out there: rooms, folders and files of src/,
# and what programs miss then.
set(VM_LEFT_OUT)
set(VM_MISSING nothing)
if(VM_OS STREQUAL "win32")
    set(VM_LEFT_OUT malloc stack trace method/debug method/profile names_over.c discipline/file.c)
    file(GLOB parts RELATIVE ${PROJECT_SOURCE_DIR}/src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/image/*.c)
    list(FILTER parts EXCLUDE REGEX "/(share_[a-z]*|vmmaddress)\\.c$") # the rest is for committed images
    list(APPEND VM_LEFT_OUT ${parts})
    set(VM_MISSING "malloc, committed images, Vmdebug, Vmprofile, traces, the command")
endif()

# Libraries that both libraries need. On RISC-V gcc calls libatomic for single bytes.
set(VM_LIBS)
check_c_source_compiles("static char c; int main(void) { return __atomic_fetch_or(&c, 1, 0) + __atomic_exchange_n(&c, 2, 0); }"
    VM_HAVE_BYTE_ATOMICS)
if(NOT VM_HAVE_BYTE_ATOMICS)
    list(APPEND VM_LIBS atomic)
endif()
if(WIN32)
    list(APPEND VM_LIBS synchronization) # WaitOnAddress()
endif()

# As src/os/os_stack.h says of VMOS_CFI.
set(VM_HAVE_WALKER FALSE)
if(VM_OS STREQUAL "linux" AND CMAKE_SIZEOF_VOID_P EQUAL 8 AND
        CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64|aarch64|arm64|riscv64|s390x)$")
    set(VM_HAVE_WALKER TRUE)
elseif(VM_OS STREQUAL "linux" AND CMAKE_SIZEOF_VOID_P EQUAL 4 AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(i.86|x86_64)$")
    set(VM_HAVE_WALKER TRUE)
endif()

# vm_probe(<what> <result> <where it matters>)
function(vm_probe what result use)
    if("${result}" MATCHES "^(FALSE)?$" OR "${result}" MATCHES "NOTFOUND$")
        set(result no)
    elseif("${result}" MATCHES "^(1|TRUE)$" OR "${result}" MATCHES "/")
        set(result yes)
    endif()
    string(SUBSTRING "${what}                          " 0 26 what)
    string(SUBSTRING "${result}                        " 0 24 result)
    message(STATUS "  ${what}${result}${use}")
endfunction()

if(VM_WHOLE)
    math(EXPR bits "8 * ${CMAKE_SIZEOF_VOID_P}")
    message(STATUS "What the build found:")
    vm_probe("system" "${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}" "${bits} bits, ${CMAKE_C_BYTE_ORDER}")
    vm_probe("files of src/os" "os_*_${VM_OS}.c" "the host")
    message(STATUS "  left out here             ${VM_MISSING}")
    vm_probe("--undefined-version" "${VM_HAVE_UNDEFINED_VERSION}" "linking the libraries")
    vm_probe("elfutils (libdw)" "${LIBDW_LIBRARY}" "the command: functions and lines")
    vm_probe("<sys/sdt.h>" "${VM_HAVE_SDT}" "probes for tracers")
    vm_probe("atomic bytes" "${VM_HAVE_BYTE_ATOMICS}" "else the libraries need libatomic")
    vm_probe("walker of stacks" "${VM_HAVE_WALKER}" "whole stacks in reports and profiles")
    vm_probe("malloc_trim()" "${VM_HAVE_MALLOC_TRIM}" "tests of the malloc interface")
    vm_probe("makecontext()" "${VM_HAVE_MAKECONTEXT}" "tests of the stack walker")
endif()
