#include "kernmill/run/cache/cache.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/replace_file.hpp"
#include "kernmill/run/cache/own_cache.hpp"
#include "kernmill/run/cache/tree.hpp"
#include "kernmill/run/directory/trust.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr int schema_version = 1;

Json to_json(const CacheEntry& entry) {
  Json artifacts = Json::array();
  for (const Artifact& artifact : entry.artifacts) artifacts.push_back(kernmill::to_json(artifact));
  return {{"schema_version", schema_version},
          {"key", entry.recipe.key},
          {"recipe", entry.recipe.body},
          {"input_names", entry.recipe.input_names},
          {"workflow", entry.workflow},
          {"stage", entry.stage},
          {"instance", entry.instance},
          {"run", entry.run},
          {"attempt_directory", entry.attempt_directory.string()},
          {"artifacts", artifacts},
          {"metrics", entry.metrics},
          {"created", entry.created}};
}

CacheEntry entry_from_json(const Json& json) {
  CacheEntry entry;
  entry.recipe = {json.at("recipe"), json.at("input_names"), json.at("key")};
  entry.workflow = json.at("workflow");
  entry.stage = json.at("stage");
  entry.instance = json.at("instance");
  entry.run = json.at("run");
  entry.attempt_directory = json.at("attempt_directory").get<std::string>();
  for (const Json& artifact : json.at("artifacts")) entry.artifacts.push_back(artifact_from_json(artifact));
  entry.metrics = json.at("metrics");
  entry.created = json.at("created");
  return entry;
}

std::optional<Json> read_json(const fs::path& path) {
  const auto text = read_own_file(path);
  if (!text) return {};
  Json json = json_or_nothing(*text);
  if (!json.is_object() || json.value("schema_version", Json()) != schema_version) return {};
  return json;
}

/// A name as one part of a path, no two names alike.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || (c == '.' && !text.empty());
    text += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

/// An artifact's place below its attempt's folder; nothing when it lies elsewhere.
std::optional<fs::path> place_in_attempt(const Artifact& artifact, const fs::path& attempt) {
  const fs::path path = artifact.path;
  if (!attempt.is_absolute() || !path.is_absolute()) return {};
  if (std::find(path.begin(), path.end(), "..") != path.end()) return {};
  const fs::path place = path.lexically_normal().lexically_relative(attempt.lexically_normal());
  if (place.empty() || *place.begin() == ".." || place == ".") return {};
  return place;
}

/// A regular file of this user's below a folder, no link on the way; empty: there is none.
FileDescriptor open_own_artifact(const fs::path& folder, const fs::path& place) {
  FileDescriptor at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  for (auto part = place.begin(); at && part != place.end(); ++part) {
    const int kind = std::next(part) == place.end() ? O_NONBLOCK : O_DIRECTORY;
    at = FileDescriptor(::openat(at.get(), part->c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind));
  }
  if (!at || ::fstat(at.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid())
    return {};
  return at;
}

bool is_as_committed(const Artifact& artifact, DigestStore& digests) {
  std::error_code error;
  const bool is_file = fs::is_regular_file(artifact.path, error);
  if (is_file && (fs::file_size(artifact.path, error) != artifact.bytes || error)) return false;
  try {
    const Content content = content_of(artifact.path, digests, Links::kept);
    return content.bytes == artifact.bytes && content.sha256 == artifact.sha256;
  } catch (const std::runtime_error&) {  // gone meanwhile, not readable, or with links in it that lead out
    return false;
  }
}

/// The places of an artifact's files below its attempt's folder; nothing when one is not this user's own
/// file.
bool has_own_files_alone(const Artifact& artifact, const fs::path& attempt) {
  try {
    const Tree tree = tree_at(artifact.path, Links::kept);
    return std::all_of(tree.entries.begin(), tree.entries.end(), [&](const TreeEntry& entry) {
      if (entry.kind != TreeEntry::Kind::file) return true;
      const fs::path place = (tree.root / entry.name).lexically_relative(attempt.lexically_normal());
      return static_cast<bool>(open_own_artifact(attempt, place));
    });
  } catch (const std::runtime_error&) {
    return false;
  }
}

bool is_intact(const Artifact& artifact, const fs::path& attempt, DigestStore& digests) {
  const auto place = place_in_attempt(artifact, attempt);
  if (!place || !has_own_files_alone(artifact, attempt)) return false;
  return is_as_committed(artifact, digests);
}

void sync_file(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot sync " + path.string());
}

bool is_same_file(const struct stat& one, const fs::path& other) {
  struct stat status {};
  return ::lstat(other.c_str(), &status) == 0 && status.st_dev == one.st_dev && status.st_ino == one.st_ino;
}

/// Copies what is open, by its descriptor.
void copy(const FileDescriptor& from, const fs::path& to) {
  fs::copy_file(fmt::format("/proc/self/fd/{}", from.get()), to, fs::copy_options::overwrite_existing);
  sync_file(to);
}

/// On disk when it returns: a commit record may follow. What others may write is copied: by a link, they
/// could write it later. False: `from` is another file by now.
bool link_or_copy(const FileDescriptor& opened, const fs::path& from, const fs::path& to,
                  DigestStore& digests) {
  make_directories(to.parent_path());
  fs::remove(to);
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return false;
  std::error_code error = std::make_error_code(std::errc::operation_not_permitted);
  if (why_not_believed(status, ::geteuid()).empty()) digests.link(from, to, error);
  if (!error && !is_same_file(status, to)) {
    fs::remove(to);
    return false;
  }
  if (error) copy(opened, to);  // or another file system, or one without hard links
  sync_directory(to.parent_path());
  return true;
}

/// A file, or all that is in a folder or matches a pattern.
bool take_tree(const fs::path& path, const fs::path& from, const fs::path& to, DigestStore& digests) try {
  const Tree tree = tree_at(path, Links::kept);
  for (const TreeEntry& entry : tree.entries) {
    const fs::path source = tree.root / entry.name;
    const fs::path place = source.lexically_normal().lexically_relative(from.lexically_normal());
    if (entry.kind == TreeEntry::Kind::folder) {
      make_directories(to / place);
    } else if (entry.kind == TreeEntry::Kind::link) {
      make_directories((to / place).parent_path());
      fs::remove(to / place);
      fs::create_symlink(entry.target, to / place);
    } else {
      const FileDescriptor opened = open_own_artifact(from, place);
      if (!opened || !link_or_copy(opened, source, to / place, digests)) return false;
    }
  }
  if (is_tree(path)) sync_tree(to / path.lexically_normal().lexically_relative(from.lexically_normal()));
  return true;
} catch (const TreeError&) {
  return false;
}

}  // namespace

Cache::Cache(const fs::path& runs_root, DigestStore& digests)
    : directory_(own_cache_directory(runs_root)), digests_(&digests) {}

std::optional<CacheEntry> Cache::read(const std::string& key) const {
  try {
    const auto json = read_json(entry_path(key));
    if (!json) return {};
    CacheEntry entry = entry_from_json(*json);
    if (entry.recipe.key != key || recipe_key(entry.recipe.body) != key) return {};
    return entry;
  } catch (const Json::exception&) {  // damaged: as good as absent
    return {};
  }
}

std::optional<CacheEntry> Cache::lookup(const std::string& key) {
  auto entry = read(key);
  if (!entry) return {};
  for (const Artifact& artifact : entry->artifacts)
    if (!is_intact(artifact, entry->attempt_directory, *digests_)) return {};
  return entry;
}

std::optional<CacheEntry> Cache::newest(const std::string& workflow, const std::string& stage,
                                        unsigned instance) const {
  const auto json = read_json(newest_path(workflow, stage, instance));
  if (!json || !json->contains("key") || !json->at("key").is_string()) return {};
  return read(json->at("key"));
}

void Cache::store(const CacheEntry& entry) {
  make_own_cache_directory(directory_);
  replace_file(entry_path(entry.recipe.key), to_json(entry).dump() + "\n");
  const Json newest{{"schema_version", schema_version}, {"key", entry.recipe.key}};
  replace_file(newest_path(entry.workflow, entry.stage, entry.instance), newest.dump() + "\n");
}

fs::path Cache::entry_path(const std::string& key) const {
  return directory_ / key.substr(0, 2) / (key + ".json");
}

fs::path Cache::newest_path(const std::string& workflow, const std::string& stage, unsigned instance) const {
  return directory_ / "newest" / escaped(workflow) / escaped(stage) / fmt::format("{}.json", instance);
}

std::optional<CacheEntry> take(const CacheEntry& entry, const fs::path& destination, DigestStore& digests) {
  CacheEntry taken = entry;
  taken.attempt_directory = fs::absolute(destination).lexically_normal();
  for (Artifact& artifact : taken.artifacts) {
    const auto place = place_in_attempt(artifact, entry.attempt_directory);
    if (!place) return {};
    if (!take_tree(artifact.path, entry.attempt_directory, taken.attempt_directory, digests)) return {};
    artifact.path = (taken.attempt_directory / *place).string();
    if (!is_as_committed(artifact, digests)) return {};
  }
  return taken;
}

}  // namespace kernmill
