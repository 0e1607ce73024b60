# Where things go, and the Debian package: `cmake --install build/release`, or `cpack -G DEB` in build/release.
#
# A program that people type is in bin/; one that only berth starts is in libexec/berth/, where sys/companion.h looks.
foreach(program berth berth-runtime)
  install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()
foreach(program berth-monitor berth-init berth-transfer)
  install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/berth)
endforeach()
# Where each shell looks for what completes a command.
set(completion ${CMAKE_BINARY_DIR}/completion)
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${completion}/${shell} COMMAND ${CMAKE_COMMAND} -E make_directory ${completion}
                     COMMAND berth completion ${shell} > ${completion}/${shell} DEPENDS berth)
endforeach()
add_custom_target(completion ALL DEPENDS ${completion}/bash ${completion}/zsh ${completion}/fish)
install(FILES ${completion}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME berth)
install(FILES ${completion}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _berth)
install(FILES ${completion}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME berth.fish)
install(FILES README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/berth-boot.service DESTINATION lib/systemd/system)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME berth)
set(CPACK_PACKAGE_VENDOR "berth")
set(CPACK_PACKAGE_CONTACT "The berth project <berth@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "container engine where every container has user IDs of its own")
set(CPACK_PACKAGE_DESCRIPTION
    "berth runs OCI and Docker images, each container in a range of host user IDs that nobody else\
 has. Images run unmodified and under any user ID, nothing on disk is shifted or copied, and no\
 daemon is needed.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, nftables, aardvark-dns")
# They enable berth-boot.service.
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_SOURCE_DIR}/packaging/postinst;${CMAKE_CURRENT_SOURCE_DIR}/packaging/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
