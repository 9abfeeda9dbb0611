#pragma once
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// The run has a living conductor already; `what()` says which.
struct RunIsLocked : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Makes this process the one conductor of a run, for as long as the object lives. The lock goes with the
/// process (flock), however it ends, and is not inherited by its children.
class ConductorLock {
 public:
  /// What its holder does with the run.
  enum class Purpose {
    conduct,  ///< carries it out, and stops in order when it gets SIGTERM
    settle,   ///< submits, cancels or removes it: soon over, and not to be disturbed
  };
  /// Throws RunIsLocked when another process holds it, std::system_error when the file cannot be made.
  ConductorLock(const std::filesystem::path& file, const ProcessIdentity& self,
                Purpose purpose = Purpose::conduct);
  ~ConductorLock();
  ConductorLock(const ConductorLock&) = delete;
  ConductorLock& operator=(const ConductorLock&) = delete;

 private:
  int fd_ = -1;
};

struct LockHolder : ProcessIdentity {
  ConductorLock::Purpose purpose = ConductorLock::Purpose::conduct;
};
/// Who conducts the run now; nothing when nobody does.
std::optional<LockHolder> lock_holder(const std::filesystem::path& file);

/// This process.
ProcessIdentity self_identity();

}  // namespace kernmill
