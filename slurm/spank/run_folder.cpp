#include "kernmill/slurm/spank/run_folder.hpp"

namespace fs = std::filesystem;

namespace kernmill::spank {

fs::path find_run(const std::string& name, const fs::path& folder, const std::string& runs) {
  if (name.empty()) return {};
  const fs::path root = runs.empty() ? folder / "runs" : folder / runs;
  for (const fs::path& place : {folder / name, root / name, folder / "workflows" / "runs" / name}) {
    std::error_code unreadable;
    if (fs::is_directory(place / "journal", unreadable)) return fs::canonical(place, unreadable);
  }
  return {};
}

}  // namespace kernmill::spank
