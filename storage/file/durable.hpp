#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "kernmill/storage/error.hpp"

/// How a file comes to be there whole, or not at all: it is written under a temporary name in its own
/// directory, synced, renamed, and the directory synced. One rank calls these; each throws Error.
namespace kernmill::storage {

/// `.NAME.HEX.partial` beside `file`, another HEX each time: nobody can put a link there before. Never taken
/// for the file itself. Of several ranks one asks, and tells the others.
std::filesystem::path temporary_beside(const std::filesystem::path& file);

/// Removes what killed writers of `file` have left beside it; with `all_of`, of every name that it takes.
/// Only files of this user's go. One program at a time writes a file: another that does fails where it
/// publishes.
void remove_leftovers(const std::filesystem::path& file);
void remove_leftovers(const std::filesystem::path& directory,
                      const std::function<bool(const std::filesystem::path& name)>& all_of);

/// Reserves `bytes` on disk, so that a full disk is found before the work, not in the middle of it. File
/// systems that cannot reserve are left alone.
void reserve_space(const std::filesystem::path& file, std::uint64_t bytes);

/// Errors call the file `named`.
void sync_file(const std::filesystem::path& file, const std::filesystem::path& named);

/// Renames and syncs the directory. When this returns the file survives a power failure. It is open to whom
/// its directory, which the run made as the workflow wants it, is: 0600, or 0640 where the group may read the
/// directory. Where the sync fails, what was new goes again; what took an older one's place stays.
void publish(const std::filesystem::path& temporary, const std::filesystem::path& file);

/// The same for a file that never changes again: 0400 or 0440, so that no program writes into it by mistake.
void publish_read_only(const std::filesystem::path& temporary, const std::filesystem::path& file);

/// The same in a directory of the user's own choice: less what the umask takes away.
void publish_by_umask(const std::filesystem::path& temporary, const std::filesystem::path& file);

void remove_quietly(const std::filesystem::path& file) noexcept;

/// A file that several ranks fill: one creates it empty, where nothing may be, each writes its bytes and
/// syncs the file, one publishes it. Errors call it `named`.
void create_empty(const std::filesystem::path& file, const std::filesystem::path& named);
void write_piece(const std::filesystem::path& file, const std::filesystem::path& named, std::uint64_t offset,
                 std::string_view bytes);

/// A small file, all in one go.
void write_durably(const std::filesystem::path& file, std::string_view content);

/// "FILE: cannot WHAT: reason. Way out", from an errno.
Error system_error(const std::filesystem::path& file, std::string_view what, int error);

/// For tests: is asked before each step ("create", "reserve", "write", "sync", "verify", "rename", "sync
/// directory") on every rank that takes it; an answer other than 0 is the errno that the step fails with.
using Fault = std::function<int(std::string_view step)>;
void set_fault(Fault fault);
int fault_at(std::string_view step);

}  // namespace kernmill::storage
