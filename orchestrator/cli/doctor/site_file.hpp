#pragma once
#include <filesystem>
#include <string>

namespace kernmill::cli::doctor {

/// The line that asks for a transport: "storage: {transport: mpiio}".
std::string transport_line(const std::string& transport);

/// The text of a site file with `storage.transport` as given, and everything else, comments and all, as it
/// was. Throws UsageError, which says what to put there by hand, where that cannot be done: the text has
/// mistakes, or keeps its settings in a way that is not understood here.
std::string with_transport(const std::string& text, const std::string& transport);

/// Does that to the file, durably, and makes it where there is none, for all to read. Returns the file that
/// was written: the one that a link leads to. Throws UsageError likewise, and where it cannot be written.
std::filesystem::path write_transport(const std::filesystem::path& file, const std::string& transport);

}  // namespace kernmill::cli::doctor
