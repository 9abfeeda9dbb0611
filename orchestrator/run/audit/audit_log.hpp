#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"

/// Who did what with the runs of a root, in a form that shows when it was changed (ADR 0013).
namespace kernmill {

/// What is to be remembered. Never a secret: no value of a variable or a parameter.
struct AuditEvent {
  std::string command;            ///< "submit", "cancel", "deploy", ...
  std::string run;                ///< its name; empty: of none
  Json details = Json::object();  ///< digests, what the key is called, ...
};

/// Where an entry stands: its number, from 1 on, and the SHA-256 of its line.
struct AuditMark {
  std::uint64_t number = 0;
  std::string hash;
};

/// `<runs root>/audit-<user's number>.jsonl`: each user has a file of his own, so that nobody has to be let
/// write another's.
std::filesystem::path audit_file(const std::filesystem::path& runs_root, uid_t user);

/// Appends an entry to this user's log; durable when it returns. Each holds the hash of the line before it.
/// Any number of processes may do so at once. A last line that a machine left torn stays, and counts as a
/// line. Throws std::runtime_error and std::system_error that name the file.
AuditMark append_to_audit(const std::filesystem::path& runs_root, const AuditEvent& event);

/// The same for an act on a run; a run of one's own keeps the mark (`audit.jsonl` in its folder), so that a
/// log whose end was removed is found by its runs. `details` gets the digests of the run's workflow and plan.
void audit_act(const RunDirectory& run, AuditEvent event);

/// The marks that a run keeps, with the name of the log that each is of.
std::vector<std::pair<std::string, AuditMark>> audit_marks(const RunDirectory& run);

}  // namespace kernmill
