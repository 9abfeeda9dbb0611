#pragma once
#include "kernmill/scheduler/file_descriptor.hpp"

namespace kernmill::exec {

/// SIGTERM, SIGINT and SIGUSR1 to this process, taken as requests to stop from construction on. SIGTERM also
/// comes when the parent (the conductor) dies.
class StopRequests {
 public:
  StopRequests();
  /// Readable while a request waits.
  [[nodiscard]] int fd() const { return signals_.get(); }
  /// Takes the requests that wait. Whether there has been any since construction.
  bool asked();

 private:
  FileDescriptor signals_;
  bool asked_ = false;
};

}  // namespace kernmill::exec
