#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;
const fs::path source_dir = KERNMILL_SOURCE_DIR;

/// A system header that only some folders may include.
struct Rule {
  const char* header;                ///< regular expression for what stands between < > or " "
  std::vector<std::string> allowed;  ///< path prefixes below the source folder
};

const std::vector<Rule> rules{
    {"slurm/.*", {"slurm/library/", "slurm/spank/spank_plugin.cpp", "tests/slurm/"}},
    {"hdf5\\.h|H5.*\\.h", {"storage/", "tests/"}},
    {"mpi\\.h", {"tasks/comm/", "storage/", "tests/"}},
    {"Kokkos_.*",
     {"kokkos_kernels/", "tasks/learn/", "tasks/models/", "tasks/kinds/", "tasks/main.cpp",
      "tasks/self_check.cpp", "tests/"}},
    {"yaml-cpp/.*", {"orchestrator/workflow/yaml/", "tests/"}},
    {"\\.\\./.*", {}},
};

bool is_source(const fs::path& path) {
  return path.extension() == ".hpp" || path.extension() == ".cpp";
}

std::vector<fs::path> sources() {
  std::vector<fs::path> found;
  for (const char* folder : {"orchestrator", "slurm", "tasks", "kokkos_kernels", "storage", "tests"}) {
    if (!fs::exists(source_dir / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(source_dir / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) found.push_back(entry.path());
    }
  }
  return found;
}

bool may_include(const std::string& file, const Rule& rule) {
  for (const auto& prefix : rule.allowed) {
    if (file.starts_with(prefix)) return true;
  }
  return false;
}

TEST(Layering, EachSystemHeaderIsIncludedOnlyWhereItsWrapperLives) {
  const std::regex include(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  const auto files = sources();
  ASSERT_GT(files.size(), 30U) << "the source folder is not where this test looks for it";
  for (const auto& path : files) {
    const std::string file = fs::relative(path, source_dir).string();
    std::ifstream in(path);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      for (const Rule& rule : rules) {
        const bool names_it = std::regex_match(match[1].str(), std::regex(rule.header));
        EXPECT_FALSE(names_it && !may_include(file, rule)) << file << ':' << number << ": " << line;
      }
    }
  }
}

/// The folder of the header that `#include "name"` means, below the source folder; empty: none of ours.
std::string folder_of_header(const fs::path& includer, const std::string& name) {
  constexpr std::string_view ours = "kernmill/";
  if (!name.starts_with(ours)) {
    for (fs::path folder = includer.parent_path(); folder.string().size() > source_dir.string().size();
         folder = folder.parent_path()) {
      if (fs::exists(folder / name)) return fs::relative((folder / name).parent_path(), source_dir).string();
    }
    return {};
  }
  const std::string path = name.substr(ours.size());
  const std::string of_kernels = path.starts_with("kernels/") ? path.substr(8) : path;
  for (const fs::path& place :
       {source_dir / "orchestrator" / path, source_dir / path, source_dir / "kokkos_kernels" / of_kernels}) {
    if (fs::exists(place)) return fs::relative(place.parent_path(), source_dir).string();
  }
  return {};
}

using FolderGraph = std::map<std::string, std::map<std::string, std::string>>;

/// Folder -> folder that it includes from -> "file: line" that shows it; the tests are left out.
FolderGraph folders_and_what_they_include() {
  const std::regex include(R"(^#include "([^"]+)\")");
  FolderGraph graph;
  for (const auto& path : sources()) {
    const std::string file = fs::relative(path, source_dir).string();
    if (file.starts_with("tests/")) continue;
    const std::string folder = fs::path(file).parent_path().string();
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string other = folder_of_header(path, match[1]);
      if (!other.empty() && other != folder) graph[folder].try_emplace(other, file + ": " + line);
    }
  }
  return graph;
}

/// A way from one folder to another through what they include, as text; empty: there is none.
std::string way(const FolderGraph& graph, const std::string& from, const std::string& to,
                std::set<std::string>& seen) {
  const auto found = graph.find(from);
  if (found == graph.end() || !seen.insert(from).second) return {};
  for (const auto& [next, because] : found->second) {
    if (next == to) return "\n  " + because;
    const std::string rest = way(graph, next, to, seen);
    if (!rest.empty()) return "\n  " + because + rest;
  }
  return {};
}

TEST(Layering, NoFolderIncludesFromOneThatIncludesFromIt) {
  const FolderGraph graph = folders_and_what_they_include();
  ASSERT_GT(graph.size(), 40U);
  for (const auto& [folder, included] : graph) {
    std::set<std::string> seen;
    const std::string back = way(graph, folder, folder, seen);
    EXPECT_TRUE(back.empty()) << folder << " can reach itself:" << back;
  }
}

// Two types of one name in one namespace are undefined behaviour that no compiler tells of, where they never
// meet in one file: the linker keeps one std::vector of them. What stands at the beginning of a line is a
// member of a namespace.
TEST(Layering, ATypeOfANamespaceIsDefinedOnce) {
  const std::regex enters(R"(^namespace ([\w:]+) \{)"),
      defines(R"(^(?:struct|class|enum class) (\w+)\b[^;:]*(?: :.*)?\{)");
  std::map<std::string, std::string> places;
  for (const auto& path : sources()) {
    const std::string file = fs::relative(path, source_dir).string();
    if (file.starts_with("tests/")) continue;  // each program is its own
    std::ifstream in(path);
    std::string line, space;
    bool unnamed = false;
    for (int number = 1; std::getline(in, line); ++number) {
      std::smatch match;
      if (std::regex_search(line, match, enters)) space = match[1];
      if (line == "namespace {") unnamed = true;
      if (line == "}  // namespace") unnamed = false;
      if (unnamed || !std::regex_search(line, match, defines)) continue;
      const std::string name = space + "::" + match[1].str(), place = file + ":" + std::to_string(number);
      const auto [known, is_new] = places.emplace(name, place);
      EXPECT_TRUE(is_new) << name << " is defined at " << known->second << " and at " << place;
    }
  }
  EXPECT_GT(places.size(), 200U);
}

}  // namespace
