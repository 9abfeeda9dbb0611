#pragma once
#include <filesystem>
#include <vector>

/// Where this user has made runs: `$XDG_STATE_HOME/kernmill/roots`, else in ~/.local/state.
namespace kernmill::cli {

/// Notes a run root for those who look for runs from elsewhere. One that cannot be noted is not missed.
void remember_run_root(const std::filesystem::path& root) noexcept;

/// Those that are still there, the one that was used last first.
std::vector<std::filesystem::path> known_run_roots();

}  // namespace kernmill::cli
