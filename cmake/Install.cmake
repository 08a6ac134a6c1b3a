# make install, pkg-config and find_package(vmalloc).

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vmalloc)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS ${VM_LIBRARIES} EXPORT vmallocTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT vmallocTargets NAMESPACE vmalloc:: DESTINATION ${package_dir})
if(TARGET vmalloc_command)
    install(TARGETS vmalloc_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(FILES include/vmalloc.h include/ast_common.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/vmalloc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES share/default.supp DESTINATION ${CMAKE_INSTALL_DATADIR}/vmalloc)
# gdb looks below the first folder for the path of a library that it loads, and -gdb.py behind that: the path as it
# is at the time of installing, which may be with another prefix than configuring was.
install(FILES share/gdb/vmalloc-gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/vmalloc)
foreach(library IN LISTS VM_LIBRARIES)
    get_target_property(kind ${library} TYPE)
    if(kind STREQUAL "SHARED_LIBRARY" AND NOT WIN32)
        install(CODE "
            get_filename_component(libdir \"${CMAKE_INSTALL_LIBDIR}\" ABSOLUTE BASE_DIR \"\${CMAKE_INSTALL_PREFIX}\")
            get_filename_component(datadir \"${CMAKE_INSTALL_DATADIR}\" ABSOLUTE BASE_DIR \"\${CMAKE_INSTALL_PREFIX}\")
            file(INSTALL \"${PROJECT_SOURCE_DIR}/share/gdb/vmalloc-gdb.py\" DESTINATION
                \"\${datadir}/gdb/auto-load\${libdir}\" RENAME \"$<TARGET_FILE_NAME:${library}>-gdb.py\")")
    endif()
endforeach()
foreach(section 1 3 7)
    file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/doc/man/*.${section})
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# Each name that a page announces is found by it: a page that leads to that one.
include(cmake/ManNames.cmake)
vm_install_man_names(${PROJECT_SOURCE_DIR}/doc/man)

configure_package_config_file(cmake/vmallocConfig.cmake.in vmallocConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(vmallocConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vmallocConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/vmallocConfigVersion.cmake
    DESTINATION ${package_dir})

# Paths relative to the .pc file, so that an installed tree can be moved.
file(RELATIVE_PATH VM_PREFIX_FROM_PKGCONFIG ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" VM_PREFIX_FROM_PKGCONFIG ${VM_PREFIX_FROM_PKGCONFIG})
foreach(kind LIBDIR INCLUDEDIR)
    if(IS_ABSOLUTE ${CMAKE_INSTALL_${kind}})
        set(VM_PC_${kind} ${CMAKE_INSTALL_${kind}})
    else()
        set(VM_PC_${kind} "\${prefix}/${CMAKE_INSTALL_${kind}}")
    endif()
endforeach()

set(VM_PC_LIBS)
foreach(library IN LISTS VM_LIBS)
    string(APPEND VM_PC_LIBS " -l${library}")
endforeach()

function(vm_install_pkgconfig VM_PC_NAME VM_PC_DESCRIPTION)
    configure_file(cmake/vmalloc.pc.in ${VM_PC_NAME}.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${VM_PC_NAME}.pc DESTINATION ${pkgconfig_dir})
endfunction()
vm_install_pkgconfig(vmalloc "Memory regions with disciplines and methods")
if(VM_MALLOC)
    vm_install_pkgconfig(vmalloc-malloc "Memory regions, and malloc on top of them")
endif()
