# One WebAssembly module per variant, and the JavaScript glue that both share (it is the same to the byte).
set(ATTENTION_VARIANT "simd" CACHE STRING "simd or relaxed-simd")
set(ATTENTION_DIST ${CMAKE_SOURCE_DIR}/dist)

set(variant_flags -msimd128)
if(ATTENTION_VARIANT STREQUAL "relaxed-simd")
  list(APPEND variant_flags -mrelaxed-simd)
endif()
set(code_flags -O3 -flto -fno-exceptions -fno-rtti ${variant_flags})
target_compile_options(attention PRIVATE ${code_flags})
# Checks and refusals run once a call: small before fast.
set_source_files_properties(
  cpp/bindings/bindings.cpp cpp/bindings/call.cpp
  cpp/src/attention/attention_map.cpp cpp/src/attention/linear_attention.cpp cpp/src/attention/plan.cpp
  cpp/src/attention/plan_rules.cpp cpp/src/attention/variable_length.cpp
  cpp/src/layers/add.cpp cpp/src/layers/embedding.cpp cpp/src/layers/multi_head.cpp cpp/src/layers/rollout.cpp
  cpp/src/layers/rotary.cpp
  cpp/src/runtime/output.cpp cpp/src/runtime/status.cpp
  PROPERTIES COMPILE_OPTIONS -Os)

add_executable(attention_module cpp/bindings/bindings.cpp cpp/bindings/call.cpp)
target_link_libraries(attention_module PRIVATE attention)
target_compile_options(attention_module PRIVATE ${code_flags} -DEMSCRIPTEN_HAS_UNBOUND_TYPE_NAMES=0
  -Wall -Wextra -Werror)
target_link_options(attention_module PRIVATE ${code_flags}
  -sSTRICT --no-entry -lembind
  -sMODULARIZE -sEXPORT_ES6 -sUSE_ES6_IMPORT_META=0 -sENVIRONMENT=web,worker -sFILESYSTEM=0
  -sINCOMING_MODULE_JS_API=instantiateWasm,wasmMemory
  # Strict content security policies: invokers are made at link time, never with new Function.
  -sDYNAMIC_EXECUTION=0 -sEMBIND_AOT
  # The engine's limit is a smaller maximum of the memory that the loader passes in.
  -sIMPORTED_MEMORY -sALLOW_MEMORY_GROWTH -sINITIAL_MEMORY=4MB -sMAXIMUM_MEMORY=4GB -sMALLOC=emmalloc
  -sSTACK_SIZE=128KB)
set_target_properties(attention_module PROPERTIES OUTPUT_NAME attention SUFFIX .mjs)

add_custom_command(TARGET attention_module POST_BUILD
  COMMAND ${CMAKE_COMMAND} -E make_directory ${ATTENTION_DIST}
  COMMAND ${CMAKE_COMMAND} -E copy attention.wasm ${ATTENTION_DIST}/attention-${ATTENTION_VARIANT}.wasm
  COMMAND ${CMAKE_COMMAND} -E copy attention.mjs ${ATTENTION_DIST}/attention-module.js
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
