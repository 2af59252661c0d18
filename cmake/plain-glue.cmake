# Emscripten's glue can fetch the module by itself; the loader always gives it one. Without the one call of what does so,
# bundlers leave all of that away: 420 compressed bytes of every page. The test of what one call costs sees it.
file(READ attention.mjs text)
set(own_way "wasmBinaryFile??=findWasmBinary();instantiateAsync(wasmBinary,wasmBinaryFile,info,receiveInstantiationResult).catch(readyPromiseReject);return{}")
string(REPLACE "${own_way}" "" text "${text}")
file(WRITE attention.mjs "${text}")
