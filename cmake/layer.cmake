# layer(NAME SOURCES file... [LINK target...]): one static library per layer. A layer sees just
# the layers that it links, so the linker proves which way the arrows go.
function(layer name)
	cmake_parse_arguments(L "" "" "SOURCES;LINK" ${ARGN})
	add_library(${name} STATIC ${L_SOURCES})
	target_link_libraries(${name} PUBLIC project_flags ${L_LINK} PRIVATE project_warnings)
endfunction()

# What keeps the symbol store of whoever runs the tests out of them: no folder can be there.
set(NO_SYMBOL_STORE XDG_CACHE_HOME=/dev/null)

# add_unit_test(NAME LINK layer...): tests/unit/**/test_NAME.c as one Criterion binary. Not a PIE:
# Criterion's parameterized rows may hold pointers, and its workers have other addresses. Not
# under ThreadSanitizer, whose shadow lies where Criterion wants its shared memory.
function(add_unit_test name)
	cmake_parse_arguments(T "" "" "SOURCES;LINK" ${ARGN})
	if(NOT NTSCOPE_TESTS OR SANITIZE MATCHES thread)
		return()
	endif()
	add_executable(test_${name} test_${name}.c ${T_SOURCES})
	target_link_libraries(test_${name} PRIVATE ${T_LINK} project_flags project_warnings
		PkgConfig::CRITERION)
	target_compile_options(test_${name} PRIVATE -fno-pie)
	target_link_options(test_${name} PRIVATE -no-pie)
	target_compile_definitions(test_${name} PRIVATE
		TESTDATA_DIR="${PROJECT_SOURCE_DIR}/testdata"
		SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
	add_test(NAME unit/${name} COMMAND test_${name})
	set_tests_properties(unit/${name} PROPERTIES TIMEOUT 300 LABELS unit
		ENVIRONMENT "${NO_SYMBOL_STORE}"
		FAIL_REGULAR_EXPRESSION "ERROR: (LeakSanitizer|AddressSanitizer);runtime error:")
endfunction()

# add_fuzz_target(NAME LINK layer...): tests/fuzz/fuzz_NAME.c. With NTSCOPE_FUZZ it is a libFuzzer
# program; otherwise it replays tests/fuzz/corpus/NAME in ctest.
function(add_fuzz_target name)
	cmake_parse_arguments(T "" "" "SOURCES;LINK" ${ARGN})
	add_executable(fuzz_${name} fuzz_${name}.c ${T_SOURCES})
	target_link_libraries(fuzz_${name} PRIVATE ${T_LINK} project_flags project_warnings)
	target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz)
	if(NTSCOPE_FUZZ)
		target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
		return()
	endif()
	target_sources(fuzz_${name} PRIVATE replay.c)
	add_test(NAME fuzz-corpus/${name}
		COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
	set_tests_properties(fuzz-corpus/${name} PROPERTIES TIMEOUT 300 LABELS fuzz-corpus
		FAIL_REGULAR_EXPRESSION "ERROR: (LeakSanitizer|AddressSanitizer);runtime error:")
endfunction()
