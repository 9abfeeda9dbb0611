#include "kernmill/scheduler/cluster_loader.hpp"

#include <cstdlib>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>

namespace fs = std::filesystem;

namespace kernmill {
namespace {

constexpr const char* file_name = "kernmill_slurm.so";
constexpr const char* symbol_name = "kernmill_cluster_plugin";

fs::path program_folder() {
  std::error_code unreadable;
  return fs::read_symlink("/proc/self/exe", unreadable).parent_path();
}

std::vector<fs::path> places() {
  const fs::path folder = program_folder();
  return {folder / file_name, folder.parent_path() / KERNMILL_PLUGIN_FOLDER / file_name};
}

/// The commands that make the plug-in anew, for the build folder of this program where it still lies in it.
std::string how_to_build() {
  const fs::path folder = program_folder().parent_path();
  const std::string build = fs::exists(folder / "CMakeCache.txt") ? folder.string() : "BUILD";
  return fmt::format("  cmake {0} && cmake --build {0} --target kernmill_slurm{1}", build,
                     build == "BUILD" ? "\nwhere BUILD is the folder in which Kernmill was built" : "");
}

[[noreturn]] void unavailable(const std::string& message) {
  throw ClusterError(ClusterError::Kind::unavailable, message);
}

[[noreturn]] void not_found() {
  std::string text = "the Slurm plug-in is not installed: there is neither\n";
  for (const fs::path& place : places()) text += fmt::format("  {}\n", place.string());
  unavailable(
      fmt::format("{}Install Slurm's development files (Debian: libslurm-dev) and build it:\n{}\n"
                  "Or name the file in KERNMILL_SLURM_PLUGIN, or do without Slurm: --scheduler local",
                  text, how_to_build()));
}

[[noreturn]] void cannot_open(const fs::path& file, const std::string& reason) {
  if (!fs::exists(file)) {
    unavailable(
        fmt::format("the Slurm plug-in {} does not exist; build it:\n{}", file.string(), how_to_build()));
  }
  unavailable(
      fmt::format("cannot open the Slurm plug-in {}:\n  {}\n"
                  "It belongs to the release of Slurm that it was built with; after an upgrade of Slurm it "
                  "is built again, "
                  "with the development files of the new release (Debian: libslurm-dev):\n{}",
                  file.string(), reason, how_to_build()));
}

const ClusterPlugin& plugin_in(void* library, const fs::path& file) {
  using Entry = const ClusterPlugin* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, symbol_name));
  const ClusterPlugin* plugin = entry == nullptr ? nullptr : entry();
  if (plugin == nullptr) {
    unavailable(fmt::format("{} is no plug-in of Kernmill: it has no {}; build it:\n{}", file.string(),
                            symbol_name, how_to_build()));
  }
  if (plugin->interface_version != Cluster::interface_version) {
    unavailable(
        fmt::format("the Slurm plug-in {} does not fit this program: its interface has version {}, this "
                    "program needs version "
                    "{}. Both come from one source; build the plug-in again:\n{}",
                    file.string(), plugin->interface_version, Cluster::interface_version, how_to_build()));
  }
  return *plugin;
}

}  // namespace

fs::path find_slurm_plugin() {
  if (const char* named = std::getenv("KERNMILL_SLURM_PLUGIN"); named != nullptr && *named != '\0') {
    return fs::absolute(named);
  }
  for (const fs::path& place : places()) {
    std::error_code unreadable;
    if (fs::exists(place, unreadable)) return place;
  }
  return {};
}

std::unique_ptr<Cluster> open_slurm() {
  const fs::path file = find_slurm_plugin();
  if (file.empty()) not_found();
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    cannot_open(file, reason == nullptr ? "unknown reason" : reason);
  }
  return std::unique_ptr<Cluster>(plugin_in(library, file).open());
}

}  // namespace kernmill
