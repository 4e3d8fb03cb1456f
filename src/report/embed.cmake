# cmake -DINPUT=file -DOUTPUT=file.c -DSYMBOL=name -P embed.cmake: the file as a C string.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${lines}")
file(WRITE ${OUTPUT} "#include \"report/embedded.h\"\n\nconst char ${SYMBOL}[] = {\n${bytes}0};\n")
