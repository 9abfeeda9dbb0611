#pragma once
#include <stdexcept>
#include <string>
#include <vector>

namespace kernmill {

/// What git says of a working tree.
struct GitTree {
  std::string root;    ///< absolute
  std::string commit;  ///< empty: there is none yet
  bool dirty = false;
  std::vector<std::string> files;  ///< that it tracks and are there, relative to the root, sorted
};

/// What keeps git from saying it, and what to do.
struct NoCode : std::runtime_error {
  NoCode(const std::string& why, std::string way_out) : std::runtime_error(why), help(std::move(way_out)) {}
  std::string help;
};

/// Of the tree that a folder lies in. Throws NoCode.
GitTree git_tree(const std::string& folder);

}  // namespace kernmill
