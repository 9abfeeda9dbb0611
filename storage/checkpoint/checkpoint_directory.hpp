#pragma once
#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "kernmill/storage/checkpoint/checkpoint.hpp"

/// Private to storage/: the files of a directory of checkpoints. One rank calls these.
namespace kernmill::storage {

std::filesystem::path checkpoint_file(const std::filesystem::path& directory, std::uint64_t step);

/// Whether a name is that of a checkpoint.
bool is_checkpoint(const std::filesystem::path& file);

/// Newest first. A directory that is not there has none.
std::vector<std::pair<std::uint64_t, std::filesystem::path>> checkpoints_in(
    const std::filesystem::path& directory);

/// Of these steps, newest first, those that go when `newest` has just been written.
std::vector<std::uint64_t> superseded(const std::vector<std::uint64_t>& steps, std::uint64_t newest,
                                      const Retention& retention);

void remove_superseded(const std::filesystem::path& directory, std::uint64_t newest,
                       const Retention& retention);

}  // namespace kernmill::storage
