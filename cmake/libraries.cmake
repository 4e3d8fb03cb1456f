# The libraries that the program does without where they are missing: the formats and commands
# that want one say so then. -DNTSCOPE_WITHOUT="snappy;bzip2" builds as if those were missing,
# "all" as if every one were. The names are those of `ntscope --version`.
set(NTSCOPE_WITHOUT "" CACHE STRING "optional libraries to do without, by semicolons, or all")
set(optional_libraries CAPSTONE=capstone LZO=lzo2 SNAPPY=snappy SQLITE3=sqlite3 ZSTD=libzstd)

set(known_names all bzip2)
foreach(pair IN LISTS optional_libraries)
	string(REGEX MATCH "^(.*)=(.*)$" pair ${pair})
	set(variable ${CMAKE_MATCH_1})
	set(module ${CMAKE_MATCH_2})
	string(TOLOWER ${variable} name)
	list(APPEND known_names ${name})
	# Whoever links one asks `if(ZSTD_FOUND)` and takes PkgConfig::ZSTD.
	if("all" IN_LIST NTSCOPE_WITHOUT OR name IN_LIST NTSCOPE_WITHOUT)
		set(${variable}_FOUND "") # whatever an earlier configuration found
	else()
		pkg_check_modules(${variable} IMPORTED_TARGET GLOBAL ${module})
	endif()
endforeach()

# bzip2 has no pkg-config module of its own everywhere: `if(BZIP2_FOUND)` and BZip2::BZip2.
if("all" IN_LIST NTSCOPE_WITHOUT OR "bzip2" IN_LIST NTSCOPE_WITHOUT)
	set(CMAKE_DISABLE_FIND_PACKAGE_BZip2 TRUE)
endif()
find_package(BZip2)

foreach(name IN LISTS NTSCOPE_WITHOUT)
	if(NOT name IN_LIST known_names)
		list(JOIN known_names ", " known_names)
		message(FATAL_ERROR "NTSCOPE_WITHOUT: '${name}' is none of ${known_names}")
	endif()
endforeach()
