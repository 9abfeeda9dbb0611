#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>

#include "kernmill/run/conductor/owner_record.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// The run has a living conductor already; `what()` says which.
struct RunIsLocked : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What tells a process from those of other hosts.
struct LockMeans {
  std::string boot = boot_id();
  OwnerTimes times = {};
  std::function<int(int fd, int operation)> flock = {};  ///< as flock(2); empty: that
};

/// Makes this process the one conductor of a run, for as long as the object lives. The lock goes with the
/// process (flock), however it ends, and is not inherited by its children. Where flock reaches no further
/// than this host, or is not there, an owner record beside it keeps those of other hosts out.
class ConductorLock {
 public:
  /// What its holder does with the run.
  enum class Purpose {
    conduct,  ///< carries it out, and stops in order when it gets SIGTERM
    settle,   ///< submits, cancels or removes it: soon over, and not to be disturbed
  };
  /// Throws RunIsLocked when another process holds it, std::system_error when the file cannot be made.
  ConductorLock(const std::filesystem::path& file, const ProcessIdentity& self,
                Purpose purpose = Purpose::conduct, const LockMeans& means = {});
  ~ConductorLock();
  ConductorLock(const ConductorLock&) = delete;
  ConductorLock& operator=(const ConductorLock&) = delete;

 private:
  void own(const std::filesystem::path& file, const ProcessIdentity& self, const LockMeans& means,
           bool has_lock);
  FileDescriptor fd_;
  std::unique_ptr<OwnerRecord> owner_;
};

struct LockHolder : ProcessIdentity {
  ConductorLock::Purpose purpose = ConductorLock::Purpose::conduct;
  std::string boot = {};  ///< the kernel that it runs on; empty: of a version that did not say
};
/// Who conducts the run now; nothing when nobody does. Of a process on another host that flock knows nothing
/// of, its owner record is watched for two beats.
std::optional<LockHolder> lock_holder(const std::filesystem::path& file, const LockMeans& means = {});

/// This process.
ProcessIdentity self_identity();

}  // namespace kernmill
