# Installs the programs, and the libraries with a package config that find_package(kernmill) reads.
include(CMakePackageConfigHelpers)

get_property(programs GLOBAL PROPERTY KERNMILL_PROGRAMS)
get_property(libraries GLOBAL PROPERTY KERNMILL_LIBRARIES)
if(programs)
  install(TARGETS ${programs} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
if(libraries)
  install(TARGETS ${libraries} EXPORT kernmill ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  foreach(library IN LISTS libraries)
    get_target_property(folder ${library} KERNMILL_HEADER_FOLDER)
    get_target_property(name ${library} EXPORT_NAME)
    install(DIRECTORY "${folder}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/kernmill/${name}"
            FILES_MATCHING PATTERN "*.hpp" PATTERN "reference" EXCLUDE)
  endforeach()
  install(EXPORT kernmill NAMESPACE kernmill:: FILE kernmill-targets.cmake
          DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/kernmill")
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/kernmill-config.cmake.in" kernmill-config.cmake
                                INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/kernmill")
  write_basic_package_version_file(kernmill-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/kernmill-config.cmake" "${PROJECT_BINARY_DIR}/kernmill-config-version.cmake"
                cmake/KernmillMpi.cmake cmake/KernmillKokkos.cmake cmake/KernmillYaml.cmake
          DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/kernmill")
endif()
