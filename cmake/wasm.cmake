# One WebAssembly module per variant, and the JavaScript glue that plain and relaxed share (it is the same to the byte).
set(ATTENTION_VARIANT "simd" CACHE STRING "simd, relaxed-simd, simd-threads or relaxed-simd-threads")
set(ATTENTION_DIST ${CMAKE_SOURCE_DIR}/dist)

option(ATTENTION_CHECKED "Stop with a message where a stack overflows; slower, and larger" OFF)
set(ATTENTION_STACK 128KB CACHE STRING "Of each thread")
if(ATTENTION_CHECKED)
  set(checks -sSTACK_OVERFLOW_CHECK=2)
endif()

set(variant_flags -msimd128)
if(ATTENTION_VARIANT MATCHES "^relaxed-simd")
  list(APPEND variant_flags -mrelaxed-simd)
endif()
set(glue attention-module.js)
# Workers need nothing of their own: as one, the glue would ask for an address, which older workerd has not.
set(environment web)
set(link_inputs ${CMAKE_SOURCE_DIR}/cmake/plain-glue.cmake)
set(edit_glue COMMAND ${CMAKE_COMMAND} -P ${CMAKE_SOURCE_DIR}/cmake/plain-glue.cmake)
if(ATTENTION_VARIANT MATCHES "-threads$")
  set(glue attention-threads-module.js)
  set(environment web,worker)
  list(APPEND variant_flags -pthread -Wno-pthreads-mem-growth)
  set(thread_flags
    # The loader says how many; all are there before the module is, so that threads start at once.
    "-sPTHREAD_POOL_SIZE=Module.poolSize" -sPTHREAD_POOL_SIZE_STRICT=2
    --extern-pre-js ${CMAKE_SOURCE_DIR}/cpp/bindings/node-worker.js
    --extern-post-js ${CMAKE_SOURCE_DIR}/cpp/bindings/glue-by-name.js
    --js-library ${CMAKE_SOURCE_DIR}/cpp/bindings/thread-library.js)
  set(thread_sources cpp/bindings/no_proxying.cpp)
  set(link_inputs ${CMAKE_SOURCE_DIR}/cpp/bindings/node-worker.js ${CMAKE_SOURCE_DIR}/cpp/bindings/glue-by-name.js
    ${CMAKE_SOURCE_DIR}/cpp/bindings/thread-library.js ${CMAKE_SOURCE_DIR}/cmake/thread-glue.cmake)
  set(edit_glue COMMAND ${CMAKE_COMMAND} -P ${CMAKE_SOURCE_DIR}/cmake/thread-glue.cmake)
endif()
set(code_flags -O3 -flto -fno-exceptions -fno-rtti ${variant_flags})
target_compile_options(attention PRIVATE ${code_flags})
target_compile_options(attention_small PRIVATE ${code_flags} -Os)
set_source_files_properties(cpp/bindings/bindings.cpp cpp/bindings/call.cpp PROPERTIES COMPILE_OPTIONS -Os)

add_executable(attention_module cpp/bindings/bindings.cpp cpp/bindings/call.cpp cpp/bindings/no_printf.cpp
  ${thread_sources})
target_link_libraries(attention_module PRIVATE attention)
target_compile_options(attention_module PRIVATE ${code_flags} -DEMSCRIPTEN_HAS_UNBOUND_TYPE_NAMES=0
  -Wall -Wextra)
target_link_options(attention_module PRIVATE ${code_flags}
  -sSTRICT --no-entry -lembind
  -sMODULARIZE -sEXPORT_ES6 -sUSE_ES6_IMPORT_META=0 -sENVIRONMENT=${environment} -sFILESYSTEM=0 -sTEXTDECODER=2
  -sINCOMING_MODULE_JS_API=instantiateWasm,wasmMemory
  # Strict content security policies: invokers are made at link time, never with new Function.
  -sDYNAMIC_EXECUTION=0 -sEMBIND_AOT
  # The engine's limit is a smaller maximum of the memory that the loader passes in.
  -sIMPORTED_MEMORY -sALLOW_MEMORY_GROWTH -sMEMORY_GROWTH_LINEAR_STEP=1MB -sINITIAL_MEMORY=4MB -sMAXIMUM_MEMORY=4GB -sMALLOC=emmalloc
  -sSTACK_SIZE=${ATTENTION_STACK}
  ${thread_flags} ${checks})
set_target_properties(attention_module PROPERTIES OUTPUT_NAME attention SUFFIX .mjs LINK_DEPENDS "${link_inputs}")

add_custom_command(TARGET attention_module POST_BUILD
  ${edit_glue}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${ATTENTION_DIST}
  COMMAND ${CMAKE_COMMAND} -E copy attention.wasm ${ATTENTION_DIST}/attention-${ATTENTION_VARIANT}.wasm
  COMMAND ${CMAKE_COMMAND} -E copy attention.mjs ${ATTENTION_DIST}/${glue}
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
