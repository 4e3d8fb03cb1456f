# Runs between cpack's installing and its packing: what Debian wants of each package, and a plain
# installation does not have.

function(run)
	execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# The same sources give the same packages, byte for byte: every time stamp is the changelog's.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
	execute_process(COMMAND dpkg-parsechangelog -l ${CPACK_DEB_CHANGELOG} -S Timestamp
		OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
	set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()

# Where Debian's zsh looks for the completions of packages.
set(share ${CPACK_TEMPORARY_DIRECTORY}/program/usr/share)
file(MAKE_DIRECTORY ${share}/zsh)
file(RENAME ${share}/zsh/site-functions ${share}/zsh/vendor-completions)
file(REMOVE ${share}/doc/ntscope/LICENSE) # which copyright says

file(GLOB archives ${CPACK_TEMPORARY_DIRECTORY}/development/usr/lib/*/*.a)
foreach(archive IN LISTS archives)
	run(strip --strip-debug --remove-section=.comment --enable-deterministic-archives
		${archive})
endforeach()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
	set(root ${CPACK_TEMPORARY_DIRECTORY}/${component})
	string(TOUPPER ${component} upper)
	set(doc ${root}/usr/share/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
	file(MAKE_DIRECTORY ${doc})
	configure_file(${CPACK_DEB_COPYRIGHT} ${doc}/copyright COPYONLY)
	configure_file(${CPACK_DEB_CHANGELOG} ${doc}/changelog COPYONLY)
	file(GLOB manuals ${root}/usr/share/man/man*/*)
	run(gzip -9n ${doc}/changelog ${manuals})
	run(chmod -R u=rwX,go=rX ${root}/usr)
	run(find ${root} -exec touch --no-dereference --date=@$ENV{SOURCE_DATE_EPOCH} {} +)
endforeach()
