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
};

/// Text of a refusal, in place: building it must not allocate, since the reason may be that memory ran out.
class Message {
 public:
  Message& operator<<(const char* text);
  Message& operator<<(int64_t value);
  Message& operator<<(std::span<const size_t> dims);  ///< as [2,3,4]
  const char* text() const { return text_; }

 private:
  char text_[240] = {};
  size_t length_ = 0;
};

/// What every function of the core returns: ok, or a code, the argument's public name, and what came and was
/// wanted.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, const char* argument, const Message& message)
      : code_(code), argument_(argument), message_(message) {}

  /// The same refusal of another argument.
  Status renamed(const char* argument) const { return {code_, argument, message_}; }

  bool ok() const { return code_ == ErrorCode::kOk; }
  ErrorCode code() const { return code_; }
  const char* argument() const { return argument_; }
  const char* message() const { return message_.text(); }

 private:
  ErrorCode code_ = ErrorCode::kOk;
  const char* argument_ = "";
  Message message_;
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
