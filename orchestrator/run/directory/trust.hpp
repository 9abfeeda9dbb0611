#pragma once
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>

#include "kernmill/run/directory/run_directory.hpp"

/// Whose files are believed (ADR 0011): those of this user that nobody else may write.
namespace kernmill {

/// What somebody else has made, or might have. `what()` says what, whose it is and why that matters.
struct NotBelieved : std::runtime_error {
  NotBelieved(const std::string& message, std::string way_out)
      : std::runtime_error(message), help(std::move(way_out)) {}
  std::string help;
};

/// "ann (user 1001)"; "user 1001" where the machine knows no name.
std::string user_text(uid_t user);
/// The user of that name or number; nothing when there is none.
std::optional<uid_t> user_called(const std::string& name_or_number);

/// Why a file or folder is not believed to be `owner`'s: "it belongs to bob (user 1002)", "others may write
/// it (its mode is 0777)"; empty when it is. What belongs to root is believed in a folder that is.
std::string why_not_believed(const struct stat& status, uid_t owner);

/// Whose the run is, by its folder. Throws std::system_error when it cannot be looked at.
uid_t owner_of(const RunDirectory& run);

/// How much of a run is looked at.
enum class TrustDepth {
  whole,  ///< its folder, plan, lock, and every file of the journal
  doors,  ///< the same without the files of the journal: costs the same for every run
};

/// Throws NotBelieved unless the run and what is read of it are this user's and nobody else may write them.
/// No link is followed. `vouched_for`: a user whose name the caller has typed: a run of that user is believed
/// as it is.
void check_believed(const RunDirectory& run, TrustDepth depth, std::optional<uid_t> vouched_for = {});

/// A file's content, if it is a regular one of this user's that nobody else may write (what was opened is
/// looked at, and no link is followed); nothing otherwise.
std::optional<std::string> read_own_file(const std::filesystem::path& file);

/// The variable by which jobs learn whom their run was vouched for; holds a user's number.
inline constexpr const char* vouched_variable = "KERNMILL_OWNED_BY";

}  // namespace kernmill
