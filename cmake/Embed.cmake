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
  target_sources(${target} PRIVATE ${generated})
endfunction()
