#pragma once
#include <filesystem>
#include <string>

namespace kernmill::spank {

/// The folder of a run that --kernmill-run names: a path, or the name of a run in $KERNMILL_RUNS, ./runs or
/// ./workflows/runs, seen from `folder`. Empty when there is no such run.
std::filesystem::path find_run(const std::string& name, const std::filesystem::path& folder,
                               const std::string& runs = {});

}  // namespace kernmill::spank
