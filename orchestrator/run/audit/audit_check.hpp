#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/run/audit/audit_log.hpp"

namespace kernmill {

/// The log of one user, as it is found.
struct AuditedLog {
  std::string file;  ///< its name
  std::vector<Json> entries;
  std::vector<std::string> problems;  ///< it was changed: what, and where
  std::vector<std::string> notes;     ///< what is worth a look, and has harmless reasons, too
  AuditMark last;
};

/// Every log of a root, proved as far as it goes: that each entry follows from the one before it, and that
/// those which runs name are there and are the same. Who may write the log and all runs that it is about can
/// make it anew: a mark that is kept elsewhere shows that, too.
std::vector<AuditedLog> check_audit(const std::filesystem::path& runs_root);

}  // namespace kernmill
