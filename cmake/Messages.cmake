# messages(ROOM FILE.proto): the protobuf messages of a room, as C++ in an own library whose warnings are not ours.
find_package(Protobuf REQUIRED)
function(messages room file)
  cmake_path(GET file STEM stem)
  set(directory ${CMAKE_BINARY_DIR}/generated/messages_${room})
  set(source ${CMAKE_SOURCE_DIR}/src/${room}/${file})
  file(MAKE_DIRECTORY ${directory}/${room})
  add_custom_command(
    OUTPUT ${directory}/${room}/${stem}.pb.cc ${directory}/${room}/${stem}.pb.h
    COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR}/src --cpp_out=${directory} ${source}
    DEPENDS ${source}
    COMMENT "Messages of ${room}")
  add_library(messages_${room} STATIC ${directory}/${room}/${stem}.pb.cc ${directory}/${room}/${stem}.pb.h)
  target_compile_options(messages_${room} PRIVATE -w)
  set_target_properties(messages_${room} PROPERTIES CXX_CLANG_TIDY "")
  target_include_directories(messages_${room} SYSTEM PUBLIC ${directory})
  target_link_libraries(messages_${room} PUBLIC protobuf::libprotobuf)
endfunction()
