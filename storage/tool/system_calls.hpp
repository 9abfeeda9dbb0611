#pragma once
#include <filesystem>
#include <vector>

/// Linux's own means, by raw calls: no library is needed. Where the kernel has none of it, nothing happens.
namespace kernmill::storage::tool {

/// Landlock (Linux 5.13): from now on these can be opened for reading, and what libraries may look for
/// (/usr, /lib, /lib64, /etc, /proc/self/net); nothing else can be opened, made, renamed or removed.
void forbid_other_files(const std::vector<std::filesystem::path>& readable);

/// seccomp (Linux 3.17): from now on calls fail with EPERM that connect or send to somebody, start processes,
/// open files for writing, change what files are called or who may use them, or look into other processes.
void forbid_harmful_calls();

}  // namespace kernmill::storage::tool
