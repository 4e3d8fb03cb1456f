# The libraries that the program does without where they are missing: the formats and commands
# that want one say so then. -DNTSCOPE_WITHOUT="snappy;bzip2" builds as if those were missing,
# "all" as if every one were.
set(NTSCOPE_WITHOUT "" CACHE STRING "optional libraries to do without, by semicolons, or all")

# Whoever links one asks `if(ZSTD_FOUND)` and takes PkgConfig::ZSTD.
function(optional_library variable module)
	if("all" IN_LIST NTSCOPE_WITHOUT OR module IN_LIST NTSCOPE_WITHOUT)
		set(${variable}_FOUND "" PARENT_SCOPE) # whatever an earlier configuration found
	else()
		pkg_check_modules(${variable} IMPORTED_TARGET GLOBAL ${module})
	endif()
endfunction()
optional_library(CAPSTONE capstone)
optional_library(LZO lzo2)
optional_library(SNAPPY snappy)
optional_library(SQLITE3 sqlite3)
optional_library(ZSTD libzstd)

# bzip2 has no pkg-config module of its own everywhere: `if(BZIP2_FOUND)` and BZip2::BZip2.
if("all" IN_LIST NTSCOPE_WITHOUT OR "bzip2" IN_LIST NTSCOPE_WITHOUT)
	set(CMAKE_DISABLE_FIND_PACKAGE_BZip2 TRUE)
endif()
find_package(BZip2)
