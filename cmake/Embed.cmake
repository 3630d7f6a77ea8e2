# embed_text(TARGET FILE HEADER FUNCTION): compiles a text file into a room as `std::string_view reclaim::TARGET::FUNCTION()`, which
# HEADER declares.
function(embed_text target file header function)
  set(generated ${CMAKE_BINARY_DIR}/generated/${target}_${function}.cpp)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DFILE=${file} -DHEADER=${header} -DROOM=${target} -DFUNCTION=${function} -DOUTPUT=${generated}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake
    COMMENT "Embedding ${file}")
  # The standard promises 65536 characters; both compilers take what there is.
  set_source_files_properties(${generated} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
  target_sources(${target} PRIVATE ${generated})
endfunction()
