#pragma once
#include <string>

#include "kernmill/os/file_descriptor.hpp"

namespace kernmill::exec {

/// Ends whatever carries a token, beside this process, when this object goes; a process of its own does it
/// when this one has gone before: also after a kill -9, when a batch system that knows processes only by
/// their parents would leave the instances running.
class PackGuard {
 public:
  /// Without a token it does nothing.
  explicit PackGuard(const std::string& token);
  ~PackGuard();
  PackGuard(const PackGuard&) = delete;
  PackGuard& operator=(const PackGuard&) = delete;

 private:
  int pid_ = 0;
  std::string token_;
  FileDescriptor life_;   ///< the guard waits for its end, or a word
  FileDescriptor heard_;  ///< where it does: kept open, so that a guard that was killed breaks no pipe
};

}  // namespace kernmill::exec
