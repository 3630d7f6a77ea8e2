# room(NAME [PATH adapters/name] DEPS other rooms LIBS libraries)
#
# A room is a library whose include path holds itself and the rooms it declares, and nothing else: an upward #include does not
# compile. Rooms can only depend on rooms declared above them, so a cycle cannot be written down.
# The include path is a directory of links, one per room, because all rooms live side by side in src/.
function(room name)
  cmake_parse_arguments(ROOM "" "PATH" "DEPS;LIBS" ${ARGN})
  if(NOT ROOM_PATH)
    set(ROOM_PATH ${name})
  endif()
  foreach(dep IN LISTS ROOM_DEPS)
    if(NOT TARGET ${dep})
      message(FATAL_ERROR "room ${name} may not look into ${dep}: it is not declared above it")
    endif()
  endforeach()

  set(window ${CMAKE_BINARY_DIR}/windows/${name})
  cmake_path(GET ROOM_PATH PARENT_PATH parent)
  file(MAKE_DIRECTORY ${window}/${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${ROOM_PATH} ${window}/${ROOM_PATH} SYMBOLIC)

  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${ROOM_PATH}/*.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    set(visibility PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(${name} ${visibility} ${window})
  target_link_libraries(${name} ${visibility} ${ROOM_DEPS} ${ROOM_LIBS})
endfunction()

# room_test(NAME ROOMS ... SOURCES ... [LABELS ...]): one gtest executable, one ctest entry.
function(room_test name)
  cmake_parse_arguments(TEST "SERIAL" "TIMEOUT" "ROOMS;SOURCES;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  if(RECLAIM_SANITIZE)
    math(EXPR TEST_TIMEOUT "${TEST_TIMEOUT} * 4")  # so much slower it may be
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_ROOMS} GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  # What may take longest begins first, so that no core waits for it at the end.
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} COST ${TEST_TIMEOUT} LABELS "${TEST_LABELS}" RUN_SERIAL ${TEST_SERIAL})
endfunction()
