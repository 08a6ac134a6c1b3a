# Warnings, sanitizers and what the linker is told.

set(VM_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2)
set(VM_TEST_WARNINGS -Wall -Wextra -Wshadow)
if(VM_WERROR)
    list(APPEND VM_WARNINGS -Werror)
endif()

# The compiler knows what malloc does and may turn malloc + memset into calloc, which is calloc itself.
set(VM_NO_BUILTIN_MALLOC)
foreach(name malloc calloc realloc reallocarray free memalign aligned_alloc posix_memalign valloc strdup strndup)
    list(APPEND VM_NO_BUILTIN_MALLOC -fno-builtin-${name})
endforeach()

if(VM_SANITIZE)
    string(REPLACE ";" "," sanitizers "${VM_SANITIZE}")
    add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${sanitizers})
endif()

# vm_link_like_a_library(<target> <version script>)
function(vm_link_like_a_library target map)
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
        target_link_options(${target} PRIVATE -Wl,--version-script=${map} -Wl,-z,relro -Wl,-z,now)
        set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${map})
        if(VM_HAVE_UNDEFINED_VERSION)
            target_link_options(${target} PRIVATE -Wl,--undefined-version)
        endif()
        # clang leaves a sanitizer's runtime to the program, gcc links it to the library.
        if(NOT VM_SANITIZE OR CMAKE_C_COMPILER_ID STREQUAL "GNU")
            target_link_options(${target} PRIVATE -Wl,-z,defs)
        endif()
    endif()
    if(MINGW) # of the compiler's library it is the variables of threads
        target_link_options(${target} PRIVATE -static-libgcc)
    endif()
    target_link_libraries(${target} PRIVATE Threads::Threads ${VM_LIBS})
    set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
endfunction()
