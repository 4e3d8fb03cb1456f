# `cpack` makes Debian packages of what is installed, one of each component: the program, which
# needs no other of them; the shared library; what building with it takes; the Python module.
set(NTSCOPE_MAINTAINER "ntscope contributors <ntscope@example.org>"
	CACHE STRING "who answers for the packages, NAME <ADDRESS>")
set(deb_version ${PROJECT_VERSION})
set(deb_library libntscope${PROJECT_VERSION_MAJOR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_CONTACT "${NTSCOPE_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

# What stage.cmake puts beside what is installed.
configure_file(packaging/deb/changelog.in deb/changelog @ONLY)
set(CPACK_DEB_CHANGELOG ${PROJECT_BINARY_DIR}/deb/changelog)
set(CPACK_DEB_COPYRIGHT ${PROJECT_SOURCE_DIR}/packaging/deb/copyright)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/deb/stage.cmake)

set(about "Reads a snapshot of a 64-bit Windows machine's memory and says what was running
on it: processes, threads, modules, handles, memory and rights, files, the
registry, drivers and the kernel's tables, and why the machine crashed. It
reads raw memory, crash dumps, ELF cores, VMware, QEMU, LiME, AVML, AFF4 and
hibernation files, compressed or not, and needs no network, no symbol files and
no configuration.")

# deb_package(COMPONENT NAME SECTION SUMMARY TEXT)
macro(deb_package component name section summary text)
	list(APPEND CPACK_COMPONENTS_ALL ${component})
	string(TOUPPER ${component} upper)
	set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
	set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
	set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${text}")
endmacro()
deb_package(program ntscope utils "offline memory forensics for 64-bit Windows snapshots"
	"${about}")
deb_package(library ${deb_library} libs "offline memory forensics for Windows - shared library"
	"${about}\n\nThis is the library.")
deb_package(development libntscope-dev libdevel
	"offline memory forensics for Windows - development files"
	"${about}\n\nThis is what one needs to build programs with the library.")
deb_package(python python3-ntscope python "offline memory forensics for Windows - Python module"
	"${about}\n\nThis is the Python module, which uses the library.")
set(CPACK_DEBIAN_PYTHON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS
	"python3:any (>= 3.9), ${deb_library} (= ${deb_version})")

set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# The trigger does what cpack's own postinst and postrm would. It writes none where some are named,
# and packs those that are there.
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/deb/triggers
	no/postinst no/postrm)

# pkg-config wants the modules of Requires.private to be there, whatever it is asked.
set(dev_packages "${deb_library} (= ${deb_version})" libjansson-dev liblz4-dev liblzma-dev
	zlib1g-dev)
foreach(pair BZIP2=libbz2-dev CAPSTONE=libcapstone-dev LZO=liblzo2-dev SNAPPY=libsnappy-dev
	SQLITE3=libsqlite3-dev ZSTD=libzstd-dev)
	string(REGEX MATCH "^(.*)=(.*)$" pair ${pair})
	if(${CMAKE_MATCH_1}_FOUND)
		list(APPEND dev_packages ${CMAKE_MATCH_2})
	endif()
endforeach()
list(JOIN dev_packages ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)

include(CPack)
