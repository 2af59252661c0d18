#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "attention/tensor.hpp"

namespace attention {

/// One line per reason a call can be refused; the names are those of AttentionErrorCode in TypeScript.
enum class ErrorCode : int32_t {
  kOk = 0,
  kShapeMismatch = 1,     ///< sizes that do not fit each other
  kInvalidArgument = 2,   ///< a value outside what the argument means
  kUnsupportedDtype = 3,  ///< an element type the argument does not take
  kOutOfMemory = 4,       ///< the memory limit would be passed; nothing was done
  kCapacityExceeded = 5,  ///< a cache without a window has no room for so many keys; none was appended
  kCorruptFile = 6,       ///< bytes that no cache has written
};

/// Writes the text of a refusal, one place for each thread: it must not be allocated, since the reason may be
/// that memory ran out, and a Status that carried it would make every call of every function copy it.
///
/// Never inlined: refusals are rare, and the hundred of them made 20 kB of WebAssembly.
class Message {
 public:
  [[gnu::noinline]] Message();  ///< the text begins anew
  [[gnu::noinline]] Message& operator<<(const char* text);
  [[gnu::noinline]] Message& operator<<(int64_t value);
  [[gnu::noinline]] Message& operator<<(std::span<const size_t> dims);  ///< as [2,3,4]

  /// The text of the latest refusal.
  static const char* latest();
};

/// What every function of the core returns: ok, or a code and the argument's public name, with what came and
/// was wanted in Message::latest().
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, const char* argument, const Message& /*written*/)
      : code_(code), argument_(argument) {}

  /// The same refusal of another argument.
  Status renamed(const char* argument) const {
    Status status = *this;
    status.argument_ = argument;
    return status;
  }

  bool ok() const { return code_ == ErrorCode::kOk; }
  ErrorCode code() const { return code_; }
  const char* argument() const { return argument_; }

 private:
  ErrorCode code_ = ErrorCode::kOk;
  const char* argument_ = "";
};

inline Status shapeMismatch(const char* argument, const Message& message) {
  return {ErrorCode::kShapeMismatch, argument, message};
}
inline Status invalidArgument(const char* argument, const Message& message) {
  return {ErrorCode::kInvalidArgument, argument, message};
}
Status unsupportedDtype(const char* argument, DType got, const char* wanted);
Status outOfMemory(const char* argument);

}  // namespace attention

/// Hands a refusal up to the caller.
#define ATTENTION_RETURN_IF_ERROR(expression)                                      \
  do {                                                                             \
    if (::attention::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)
