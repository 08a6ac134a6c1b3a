# How a test is built and run. Exit status 77 means that a test could not run here.

find_library(CMOCKA_LIBRARY cmocka)
find_path(CMOCKA_INCLUDE_DIR cmocka.h)
if(NOT CMOCKA_LIBRARY OR NOT CMOCKA_INCLUDE_DIR)
    message(STATUS "cmocka is not there: test/support/cmocka stands in for it")
    set(CMOCKA_INCLUDE_DIR ${PROJECT_SOURCE_DIR}/test/support/cmocka)
    set(CMOCKA_LIBRARY vm_cmocka)
    add_library(vm_cmocka STATIC ${CMOCKA_INCLUDE_DIR}/cmocka.c)
    target_compile_options(vm_cmocka PRIVATE ${VM_TEST_WARNINGS})
endif()

# Built for another machine: the tests run in its emulator, and those that are scripts for bash, which start
# programs as this machine does, are left out.
if(CMAKE_CROSSCOMPILING)
    set(VM_TEST_LAUNCHER ${CMAKE_CROSSCOMPILING_EMULATOR})
endif()
set(VM_NOT_HERE)
if(CMAKE_CROSSCOMPILING_EMULATOR AND NOT WIN32) # Wine is no emulator of a machine
    file(STRINGS ${PROJECT_SOURCE_DIR}/test/emulated.txt lines REGEX "^(test|example)_[a-z0-9_-]+:")
    list(TRANSFORM lines REPLACE ":.*" "" OUTPUT_VARIABLE VM_NOT_HERE)
endif()
if(VM_OS STREQUAL "posix")
    file(STRINGS ${PROJECT_SOURCE_DIR}/test/posix.txt lines REGEX "^(test|example)_[a-z0-9_-]+:")
    list(TRANSFORM lines REPLACE ":.*" "" OUTPUT_VARIABLE lines)
    list(APPEND VM_NOT_HERE ${lines})
endif()
if(NOT VM_HAVE_WALKER) # they ask for stacks of several calls
    list(APPEND VM_NOT_HERE test_method_profile_exact test_tools_profile_read)
endif()

# Not built for Windows: regular expressions for paths without their endings.
set(VM_NOT_BUILT)
if(WIN32)
    file(STRINGS ${PROJECT_SOURCE_DIR}/test/windows.txt lines REGEX "^[a-z]+/[^:]*:")
    list(TRANSFORM lines REPLACE ":.*" "" OUTPUT_VARIABLE VM_NOT_BUILT)
    list(TRANSFORM VM_NOT_BUILT REPLACE "[*]" ".*")
endif()

# What tests use of POSIX and mingw-w64 has not.
set(VM_TEST_POSIX)
if(MINGW)
    set(posix ${PROJECT_SOURCE_DIR}/test/support/windows)
    add_library(vm_posix STATIC ${posix}/posix.c)
    target_include_directories(vm_posix PUBLIC ${posix})
    target_compile_definitions(vm_posix PUBLIC __USE_MINGW_ANSI_STDIO=1)
    target_compile_options(vm_posix INTERFACE "SHELL:-include \"${posix}/posix.h\"")
    target_compile_options(vm_cmocka PRIVATE -D__USE_MINGW_ANSI_STDIO=1)
    set(VM_TEST_POSIX vm_posix)
endif()

# vm_add_test(<name> COMMAND <command>... [LABELS <label>...] [ENVIRONMENT <VAR=value>...])
function(vm_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;LABELS;ENVIRONMENT")
    if(VM_TEST_LAUNCHER MATCHES "valgrind") # the tests count blocks and bytes, which differ when it is told of them
        list(APPEND arg_ENVIRONMENT VMTOOLS=off)
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${VM_TEST_TIMEOUT} SKIP_RETURN_CODE 77
        LABELS "${arg_LABELS}" ENVIRONMENT "${arg_ENVIRONMENT}")
    if(name IN_LIST VM_NOT_HERE)
        set_tests_properties(${name} PROPERTIES DISABLED TRUE)
    endif()
endfunction()

# vm_add_script_test(<name> <script> [<label>...]): bash runs it, VMALLOC_BUILD and VMALLOC_SOURCE say where.
function(vm_add_script_test name script)
    if(CMAKE_CROSSCOMPILING)
        return()
    endif()
    vm_add_test(${name} COMMAND bash ${script} LABELS ${ARGN}
        ENVIRONMENT VMALLOC_BUILD=${PROJECT_BINARY_DIR} VMALLOC_SOURCE=${PROJECT_SOURCE_DIR})
endfunction()

# vm_test_executable(<target> <source>...): compiled as tests are, with asserts, linked to nothing yet.
function(vm_test_executable target)
    add_executable(${target} ${ARGN})
    target_compile_options(${target} PRIVATE -UNDEBUG)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${target} PRIVATE ${VM_TEST_POSIX})
endfunction()

# vm_link_whitebox(<target> <room>): links cmocka and the static library; sees the insides that a test of the
# room may look at.
function(vm_link_whitebox target room)
    target_compile_options(${target} PRIVATE ${VM_TEST_WARNINGS})
    set(folders ${PROJECT_SOURCE_DIR}/test)
    foreach(seen os base stack region ${room})
        if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/src/${seen})
            vm_room_tree(tree ${seen})
            list(APPEND folders ${tree})
        endif()
    endforeach()
    list(REMOVE_DUPLICATES folders)
    vm_quote_folders(${target} ${folders})
    target_include_directories(${target} PRIVATE ${CMOCKA_INCLUDE_DIR})
    target_link_libraries(${target} PRIVATE vmalloc_static ${CMOCKA_LIBRARY} Threads::Threads)
endfunction()
