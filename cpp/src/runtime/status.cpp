#include "attention/status.hpp"

namespace attention {

namespace {
thread_local char written[240];
thread_local size_t length = 0;
}  // namespace

Message::Message() {
  length = 0;
  written[0] = '\0';
}

const char* Message::latest() { return written; }

Message& Message::operator<<(const char* text) {
  while (*text != '\0' && length + 1 < sizeof(written)) written[length++] = *text++;
  written[length] = '\0';
  return *this;
}

Message& Message::operator<<(int64_t value) {
  char digits[24];
  size_t at = sizeof(digits) - 1;
  digits[at] = '\0';
  uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) digits[--at] = '-';
  return *this << &digits[at];
}

Message& Message::operator<<(std::span<const size_t> dims) {
  *this << "[";
  for (size_t i = 0; i < dims.size(); ++i) *this << (i == 0 ? "" : ",") << static_cast<int64_t>(dims[i]);
  return *this << "]";
}

Status unsupportedDtype(const char* argument, DType got, const char* wanted) {
  return {ErrorCode::kUnsupportedDtype, argument,
          Message() << "got " << nameOf(got) << ", wanted " << wanted};
}

Status outOfMemory(const char* argument) {
  return {ErrorCode::kOutOfMemory, argument, Message() << "needs more memory than the limit leaves"};
}

}  // namespace attention
