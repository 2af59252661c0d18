// No thread here asks another to run something (see thread-library.js), but Emscripten links what that would
// take, 3 kB, unless it finds these. Weak: should a later version need more of it, its own come back.
extern "C" {

[[gnu::weak]] double _emscripten_run_on_main_thread_js(int /*function*/, void* /*address*/, int /*count*/,
                                                       double* /*arguments*/, int /*proxying*/) {
  return 0;
}
[[gnu::weak]] void* emscripten_proxy_get_system_queue() { return nullptr; }
[[gnu::weak]] void emscripten_proxy_execute_queue(void* /*queue*/) {}
}
