#pragma once
#include <chrono>
#include <functional>
#include <string>

namespace kernmill::storage::tool {

/// How what ran in a child process came to its end.
struct ChildEnd {
  std::string said;  ///< what `work` put into its text
  int exit_code = 0;
  int signal = 0;          ///< that ended it
  bool timed_out = false;  ///< it was ended because it took too long
};

/// Runs `work` in a child process, which exits with what it returns, and may leave a short text. A damaged
/// file can crash the library that reads it, or keep it busy for ever: that stays in the child. To be called
/// before any thread is there.
ChildEnd in_child(const std::function<int(std::string& said)>& work, std::chrono::seconds patience);

}  // namespace kernmill::storage::tool
