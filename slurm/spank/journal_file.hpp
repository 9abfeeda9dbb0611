#pragma once
#include <string>
#include <vector>

#include <sys/types.h>

namespace kernmill::spank {

/// Whose files are written.
struct Owner {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};

/// Appends a line to a file of the journal as its owner, in a child process: slurmstepd is root, and a folder
/// of a user's may be on a file system that does not trust root, or lead elsewhere. A line that cannot be
/// written whole is taken back. Returns 0, or what errno was; ETIMEDOUT when the file system did not answer
/// in time.
int append_as(const Owner& owner, const std::string& file, const std::string& line);

}  // namespace kernmill::spank
