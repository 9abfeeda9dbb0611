#include "kernmill/run/cache/cache.hpp"

#include <cctype>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/replace_file.hpp"

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
  std::ifstream stream(path);
  if (!stream) return {};
  Json json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
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

bool is_intact(const Artifact& artifact, DigestStore& digests) {
  std::error_code error;
  if (fs::file_size(artifact.path, error) != artifact.bytes || error) return false;
  try {
    return digests.sha256(artifact.path) == artifact.sha256;
  } catch (const std::system_error&) {  // gone meanwhile, or not readable
    return false;
  }
}

void sync_file(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot sync " + path.string());
}

/// On disk when it returns: a commit record may follow.
void link_or_copy(const fs::path& from, const fs::path& to, DigestStore& digests) {
  make_directories(to.parent_path());
  fs::remove(to);
  std::error_code error;
  digests.link(from, to, error);
  if (error) {  // another file system, or one without hard links
    fs::copy_file(from, to);
    sync_file(to);
  }
  sync_directory(to.parent_path());
}

}  // namespace

Cache::Cache(const fs::path& runs_root, DigestStore& digests)
    : directory_(fs::absolute(runs_root) / ".cache"), digests_(&digests) {}

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
    if (!is_intact(artifact, *digests_)) return {};
  return entry;
}

std::optional<CacheEntry> Cache::newest(const std::string& workflow, const std::string& stage,
                                        unsigned instance) const {
  const auto json = read_json(newest_path(workflow, stage, instance));
  if (!json || !json->contains("key") || !json->at("key").is_string()) return {};
  return read(json->at("key"));
}

void Cache::store(const CacheEntry& entry) {
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

CacheEntry take(const CacheEntry& entry, const fs::path& destination, DigestStore& digests) {
  CacheEntry taken = entry;
  taken.attempt_directory = fs::absolute(destination);
  for (Artifact& artifact : taken.artifacts) {
    const fs::path place =
        taken.attempt_directory / fs::path(artifact.path).lexically_relative(entry.attempt_directory);
    link_or_copy(artifact.path, place, digests);
    artifact.path = place.string();
  }
  return taken;
}

}  // namespace kernmill
