#pragma once
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace kernmill::testing {

/// What a process of ours is there for.
enum class Role { conductor, submitter, status, exec, pack_guard, closing_job, srun, rank };
std::string_view to_string(Role role);

struct Victim {
  int pid = 0;
  std::uint64_t start_time = 0;
  Role role = Role::exec;
};

/// Our processes that carry out the workflow of this folder, wherever they hang in the process tree.
std::vector<Victim> victims_in(const std::filesystem::path& folder, bool on_cluster);

}  // namespace kernmill::testing
