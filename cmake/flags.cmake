# Warnings, sanitizers and the fuzzer's instrumentation, as interface targets.
add_library(project_warnings INTERFACE)
target_compile_options(project_warnings INTERFACE
	-Wall -Wextra -Wshadow -Wconversion -Wvla -Wmissing-prototypes -Wstrict-prototypes
	-Wpointer-arith -Wwrite-strings
	$<$<BOOL:${NTSCOPE_WERROR}>:-Werror>)

add_library(project_flags INTERFACE)
target_compile_definitions(project_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64
	NTSCOPE_VERSION="${PROJECT_VERSION}")
target_include_directories(project_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
# What is given to others: as Debian hardens what reads files of strangers, and with no trace of the
# folders where it was built.
if(NOT SANITIZE)
	set(release_flags -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
		-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.
		-ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
	target_compile_options(project_flags INTERFACE "$<$<CONFIG:Release>:${release_flags}>")
	target_link_options(project_flags INTERFACE LINKER:-z,relro LINKER:-z,now)
endif()
if(SANITIZE)
	string(REPLACE ";" "," sanitize_list "${SANITIZE}")
	target_compile_options(project_flags INTERFACE
		-fsanitize=${sanitize_list} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(project_flags INTERFACE
		-fsanitize=${sanitize_list} -fno-sanitize-recover=all)
endif()
if(NTSCOPE_FUZZ)
	target_compile_options(project_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
