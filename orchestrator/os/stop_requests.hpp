#pragma once
#include "kernmill/os/file_descriptor.hpp"

namespace kernmill::exec {

/// SIGTERM, SIGINT and SIGUSR1 to this process, taken as requests to stop from construction on. SIGTERM also
/// comes when the parent (the conductor, or a batch system's daemon) dies.
class StopRequests {
 public:
  StopRequests();
  /// Readable while a request waits.
  [[nodiscard]] int fd() const { return signals_.get(); }
  /// Takes the requests that wait. Whether there has been any since construction.
  bool asked();
  /// Of those taken: SIGUSR1, by which a batch system says that time is running out.
  [[nodiscard]] bool time_is_short() const { return time_is_short_; }
  /// Of those taken: any other, after which a batch system leaves little time.
  [[nodiscard]] bool told_to_end() const { return told_to_end_; }

 private:
  FileDescriptor signals_;
  bool time_is_short_ = false, told_to_end_ = false;
};

}  // namespace kernmill::exec
