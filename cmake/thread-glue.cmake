# Emscripten's glue starts its workers by itself: with options in a variable, on which bundlers fail, from a plain
# address, which Trusted Types refuse, and not in Node. Here it is made to ask the loader for them, who does
# (web/src/load/thread-workers.ts).
set(construction "new Worker\\((new URL\\([^()]*\\)|[^(){},]+),(workerOptions|{[^{}]*})\\)")
file(READ attention.mjs text)
string(REGEX MATCHALL "${construction}" found "${text}")
list(LENGTH found count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "The glue of this Emscripten makes its workers in another way: ${count} × ${construction}")
endif()
string(REGEX REPLACE "${construction}" "Module.makeWorker()" text "${text}")
string(REGEX REPLACE "var workerOptions={[^{}]*};" "" text "${text}")
file(WRITE attention.mjs "${text}")
