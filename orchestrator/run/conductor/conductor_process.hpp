#pragma once
#include <filesystem>
#include <optional>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// The process that holds the lock of a run.
class ConductorProcess {
 public:
  /// By what means a process is meant: a descriptor of it that no other process can come to stand for, or,
  /// where the kernel has none (before Linux 5.3), its number and the time when it started.
  enum class Means { descriptor, number };

  /// The process that a lock names, once it is proved to be what holds it: it lives on this machine, started
  /// then, belongs to the owner of the lock, and has this very file open. A file that says so is no proof.
  static std::optional<ConductorProcess> proved(const std::filesystem::path& lock,
                                                const ProcessIdentity& named,
                                                Means means = Means::descriptor);

  void signal(int signal) const;
  /// Until it has ended.
  void wait() const;

 private:
  ConductorProcess(ProcessIdentity identity, FileDescriptor descriptor)
      : identity_(std::move(identity)), descriptor_(std::move(descriptor)) {}
  ProcessIdentity identity_;
  FileDescriptor descriptor_;  ///< pidfd; empty: by number
};

}  // namespace kernmill
