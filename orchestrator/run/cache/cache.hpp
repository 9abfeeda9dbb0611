#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/run/cache/digest.hpp"
#include "kernmill/run/cache/recipe.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// What the cache knows of one result.
struct CacheEntry {
  Recipe recipe;
  std::string workflow, stage;  ///< whose result it was
  unsigned instance = 0;
  std::string run;                          ///< name of the run that it lies in
  std::filesystem::path attempt_directory;  ///< absolute; the artifacts lie in it
  std::vector<Artifact> artifacts;
  Json metrics = Json::object();
  std::string created;  ///< ISO 8601, UTC
};

/// This user's results of earlier runs by recipe, in the user's own cache folder (own_cache.hpp). Copies
/// nothing: an entry says where a run has left the artifacts. Any number of processes may use it at once;
/// what is damaged, and what others have made or may have changed (ADR 0011), counts as absent.
class Cache {
 public:
  /// Reads and writes nothing yet. `digests` has to outlive this.
  Cache(const std::filesystem::path& runs_root, DigestStore& digests);

  /// The entry of that recipe key, if its artifacts are still there with the same size and content.
  std::optional<CacheEntry> lookup(const std::string& key);
  /// The same without a look at the artifacts.
  [[nodiscard]] std::optional<CacheEntry> read(const std::string& key) const;
  /// The entry that was stored last for that instance of that workflow, whatever its recipe.
  [[nodiscard]] std::optional<CacheEntry> newest(const std::string& workflow, const std::string& stage,
                                                 unsigned instance) const;
  /// Keeps an entry, in place of an older one of the same key. Throws std::system_error that names the path.
  void store(const CacheEntry& entry);

 private:
  [[nodiscard]] std::filesystem::path entry_path(const std::string& key) const;
  [[nodiscard]] std::filesystem::path newest_path(const std::string& workflow, const std::string& stage,
                                                  unsigned instance) const;

  std::filesystem::path directory_;
  DigestStore* digests_;
};

/// Puts the artifacts of an entry into `destination` (which exists): by hard link, by copy where that cannot
/// be or others may write the file; each is digested again there. Gives the entry as it is there, to be
/// committed and stored in turn, so that the result outlives the run it was taken from; nothing when an
/// artifact is no longer what was committed, or lies outside of its attempt's folder. Throws
/// std::system_error that names the file.
std::optional<CacheEntry> take(const CacheEntry& entry, const std::filesystem::path& destination,
                               DigestStore& digests);

}  // namespace kernmill
