#include "kernmill/run/cache/tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/base/sha256.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using Kind = TreeEntry::Kind;

/// What Kernmill writes into the directory of an attempt.
bool is_own_file(const fs::path& file) {
  if (!file.parent_path().filename().string().starts_with("attempt-")) return false;
  const std::string name = file.filename().string();
  constexpr std::array own{"out.log",   "err.log",     "exec.log",   "metrics.txt", "stacks.log",
                           "spec.json", "result.json", "error.json", "gathered"};
  return std::find(own.begin(), own.end(), name) != own.end() ||
         (name.starts_with("command-") && name.ends_with(".sh"));
}

/// Goes through what lies below a root.
class Walk {
 public:
  Walk(fs::path root, Links links, fs::path without) : without_(std::move(without)), links_(links) {
    tree_.root = std::move(root);
  }

  void add_below(const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) add(entry.path());
  }

  void add(const fs::path& path) {
    const fs::file_status status = fs::symlink_status(path);
    const std::string name = path.lexically_relative(tree_.root).string();
    if (fs::is_symlink(status)) return add_link(path, name);
    if (fs::is_directory(status)) {
      if (!without_.empty() && path.lexically_normal() == without_) return;
      tree_.entries.push_back({name, Kind::folder});
      return add_below(path);
    }
    if (!fs::is_regular_file(status))
      throw TreeError(fmt::format("{} is no file, folder or link: a socket, pipe or device cannot be kept",
                                  path.string()));
    tree_.entries.push_back({name, Kind::file});
  }

  Tree finish() {
    std::sort(tree_.entries.begin(), tree_.entries.end(),
              [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; });
    if (links_ == Links::kept) check_links();
    return std::move(tree_);
  }

 private:
  void add_link(const fs::path& path, const std::string& name) {
    const fs::path target = fs::read_symlink(path);
    if (links_ == Links::kept) {
      tree_.entries.push_back({name, Kind::link, target.string()});
    } else if (fs::is_directory(path)) {
      throw TreeError(fmt::format("{} is a link to a folder, which is not looked into; name that folder, too",
                                  path.string()));
    } else {
      tree_.entries.push_back({name, Kind::file});  // one that leads nowhere cannot be read
    }
  }

  void check_links() const {
    std::set<std::string> names;
    for (const TreeEntry& entry : tree_.entries) names.insert(entry.name);
    for (const TreeEntry& entry : tree_.entries) {
      if (entry.kind != Kind::link) continue;
      const fs::path target = (fs::path(entry.name).parent_path() / entry.target).lexically_normal();
      std::string name = target.string();
      while (name.ends_with('/')) name.pop_back();
      if (!fs::path(entry.target).is_absolute() && (name == "." || names.contains(name))) continue;
      throw TreeError(
          fmt::format("{} is a link to {}, which is not part of the artifact; copy the file there, "
                      "since only what lies in it is kept",
                      (tree_.root / entry.name).string(), entry.target));
    }
  }

  Tree tree_;
  fs::path without_;
  Links links_;
};

void sync(const fs::path& path, int flags) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!file || ::fsync(file.get()) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot make durable " + path.string());
}

}  // namespace

bool Tree::has_files() const {
  return std::any_of(entries.begin(), entries.end(),
                     [](const TreeEntry& entry) { return entry.kind != Kind::folder; });
}

bool is_tree(const fs::path& path) {
  std::error_code none;
  const fs::file_status status = fs::status(path, none);
  if (fs::is_directory(status)) return true;
  return !fs::exists(status) && is_file_pattern(path.filename().string());
}

Tree tree_at(const fs::path& given, Links links, const fs::path& without) {
  const fs::path path = given.has_filename() ? given : given.parent_path();
  if (fs::is_directory(path)) {
    Walk walk(path, links, without.lexically_normal());
    walk.add_below(path);
    return walk.finish();
  }
  Walk walk(path.parent_path(), links, without.lexically_normal());
  if (!is_tree(path)) {
    walk.add(path);
    return walk.finish();
  }
  for (const std::string& file : files_of_pattern(path))
    if (links == Links::followed || !is_own_file(file)) walk.add(file);
  return walk.finish();
}

Content content_of(const fs::path& path, DigestStore& digests, Links links) {
  if (!is_tree(path)) return {fs::file_size(path), digests.sha256(path)};
  const Tree tree = tree_at(path, links, links == Links::followed ? digests.runs_root() : fs::path());
  Content content;
  std::string lines;
  for (const TreeEntry& entry : tree.entries) {
    const fs::path place = tree.root / entry.name;
    std::string what = entry.kind == Kind::folder ? "/" : "-> " + entry.target;
    if (entry.kind == Kind::file) {
      what = digests.sha256(place);
      content.bytes += fs::file_size(place);
    }
    // With their lengths: names may hold anything.
    lines += fmt::format("{}:{} {}:{}\n", entry.name.size(), entry.name, what.size(), what);
  }
  content.sha256 = sha256(lines);
  return content;
}

void sync_tree(const fs::path& path) {
  if (!is_tree(path)) {
    sync(path, 0);
    return sync_directory(path.parent_path());
  }
  const Tree tree = tree_at(path, Links::kept);
  for (const TreeEntry& entry : tree.entries)
    if (entry.kind == Kind::file) sync(tree.root / entry.name, 0);
  for (const TreeEntry& entry : tree.entries)
    if (entry.kind == Kind::folder) sync(tree.root / entry.name, O_DIRECTORY);
  sync_directory(tree.root);
  sync_directory(path.parent_path());
}

}  // namespace kernmill
