#pragma once
#include <filesystem>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// The process that a lock names, once it is proved to be what holds it: it lives on this machine, started
/// then, belongs to the owner of the lock, and has this very file open. A file that says so is no proof.
/// An empty descriptor: it is not. Otherwise one (pidfd) that no other process can come to stand for.
FileDescriptor proved_conductor(const std::filesystem::path& lock, const ProcessIdentity& named);

/// Sends a signal by such a descriptor.
void signal_conductor(const FileDescriptor& conductor, int signal);

}  // namespace kernmill
