#pragma once
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernmill/run/cache/digest.hpp"

/// An artifact or an input is a file, a folder with all that is in it, or what matches a pattern (`*.png`).
namespace kernmill {

/// What is there cannot be kept, or not be known: its message says why, with the path.
struct TreeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What becomes of symbolic links.
enum class Links {
  kept,      ///< as an artifact: one to what is in the tree stays a link, any other is a TreeError
  followed,  ///< as an input: one to a file counts as that file, one to a folder is a TreeError
};

struct TreeEntry {
  enum class Kind { file, folder, link };
  std::string name;  ///< relative to the tree's root
  Kind kind = Kind::file;
  std::string target{};  ///< of a link
};

/// The files, folders and links of something, sorted by name.
struct Tree {
  std::filesystem::path root;
  std::vector<TreeEntry> entries;
  [[nodiscard]] bool has_files() const;
};

/// Whether a path stands for more than one file: a folder, or a pattern where no file has that name.
bool is_tree(const std::filesystem::path& path);

/// What is there; a single file is a tree of one entry. A pattern does not match what Kernmill itself writes
/// into the directory of an attempt (as an artifact), and a folder is looked at without the one of `without`.
/// Throws TreeError, and std::system_error that names the path.
Tree tree_at(const std::filesystem::path& path, Links links, const std::filesystem::path& without = {});

struct Content {
  std::uint64_t bytes = 0;
  std::string sha256;  ///< of a file: its own; of a tree: of the names and contents in it
};
/// Throws as `tree_at` does.
Content content_of(const std::filesystem::path& path, DigestStore& digests, Links links);

/// Makes it durable with all that is in it, up to the folder that it lies in.
void sync_tree(const std::filesystem::path& path);

}  // namespace kernmill
