#pragma once
#include <filesystem>

/// Where this user's cache of a run root lies. Nobody else's is read, and nobody else may read it (ADR 0011).
namespace kernmill {

/// `<runs root>/.cache`, or `.cache-<user's number>` beside it where another user has made that one. Empty
/// when others may write even this: then there is no cache. Makes nothing.
std::filesystem::path own_cache_directory(const std::filesystem::path& runs_root);

/// Makes it, 0700, when it is not there. Throws std::system_error that names it, and for an empty one.
void make_own_cache_directory(const std::filesystem::path& directory);

/// Removes what processes that were killed have left in it.
void tidy_own_cache(const std::filesystem::path& runs_root);

}  // namespace kernmill
