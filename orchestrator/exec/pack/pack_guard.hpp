#pragma once
#include <string>

#include "kernmill/os/file_descriptor.hpp"

namespace kernmill::exec {

/// A process that ends whatever carries a token once this process has gone, or this object: also after a kill
/// -9, when a batch system that knows processes only by their parents would leave the instances running.
class PackGuard {
 public:
  /// Without a token it does nothing.
  explicit PackGuard(const std::string& token);
  ~PackGuard();
  PackGuard(const PackGuard&) = delete;
  PackGuard& operator=(const PackGuard&) = delete;

 private:
  int pid_ = 0;
  FileDescriptor life_;  ///< the guard waits for its end
};

}  // namespace kernmill::exec
