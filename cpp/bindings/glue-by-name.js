// Put behind the glue of the threaded variants: Parcel makes a script without exports of a file that it knows by its
// address, and the loader then finds the glue here.
globalThis[Symbol.for('attention-wasm threads')] = Module;
