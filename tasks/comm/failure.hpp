#pragma once
#include <algorithm>
#include <functional>
#include <string>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

/// What went wrong on a rank, in a form that travels to the others.
struct Failure {
  enum class Kind { none, error, unusable_spec, stopped };
  Kind kind = Kind::none;
  std::string message, where, help;

  explicit operator bool() const { return kind != Kind::none; }
  /// Runs `work` and catches whatever it throws.
  static Failure of(const std::function<void()>& work);
  /// Throws TaskError, SpecError or Stopped.
  [[noreturn]] void raise() const;
  [[nodiscard]] std::string packed() const;
  static Failure unpacked(const std::string& text);
};

}  // namespace kernmill::tasks
